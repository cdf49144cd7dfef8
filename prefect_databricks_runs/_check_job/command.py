"""Checks all definitions in some files: the command `prefect-databricks-runs check-job`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .bundles import Bundle, Roots, check_bundle, part_of_bundle, whole_bundle
from .documents import BUNDLE_FILES, OWN_FILES, definitions_in, is_of_bundle
from .files import Named, files_in
from .findings import Checked, Finding, Results
from .one_job import findings_of, not_checked
from .reading import STDIN, Source, not_read, read_source
from .references import References
from .tree import Node, NotReadable

_NO_DEFINITION = (
    "The file has no definition of a job: neither a file of a bundle, nor the settings of a job, nor the body of a "
    "runs/submit request."
)


class Wanted(NamedTuple):
    """The files to check, and the targets of bundles.

    Attributes:
        names: Files and folders, or `-` for the standard input.
        targets: The names of targets of bundles; the default target if there are none, else all.
        all_targets: Whether to check all targets.
    """

    names: Sequence[str]
    targets: Sequence[str] = ()
    all_targets: bool = False


class _Part(NamedTuple):
    """A file of a bundle whose root is another file."""

    source: Source
    root: Path | None


def check_files(wanted: Wanted) -> Results:
    """Check all definitions in some files. Nothing is sent anywhere.

    Args:
        wanted: What is to be checked.
    """
    results = Results()
    roots: dict[Path, Source] = {}
    parts: list[_Part] = []
    known_roots = Roots()
    for named in files_in(wanted.names):
        source = _read(named, results)
        if source is None:
            continue
        path = source.path
        root = known_roots.above(path) if path else None
        if any(map(is_of_bundle, source.documents)):
            if path and (path.name in BUNDLE_FILES or _is_root(source)):
                roots[path.resolve()] = source
            else:
                parts.append(_Part(source, root))
        elif _check_definitions(source, results, is_named=named.is_named):
            continue
        elif path and path.name in OWN_FILES:
            roots[path.resolve()] = source
        elif root:  # it includes a file that looks like no other of a bundle
            parts.append(_Part(source, root))
        elif named.is_named and source.documents:
            results.findings.append(Finding(source.file, None, "", "", "error", _NO_DEFINITION))
    _check_bundles(wanted, roots, parts, results)
    unread = {each.file for each in results.findings if each.severity == "error" and not each.job}
    results.findings = sorted(
        (each for each in results.findings if each.severity != "warning" or each.job or each.file not in unread),
        key=lambda each: (each.file, each.line or 0),
    )
    if not (results.checked or results.findings or roots or parts):
        names = ", ".join(wanted.names)[:300]
        results.findings.append(Finding(names, None, "", "", "error", "No definition of a job was found."))
    return results


def _check_bundles(wanted: Wanted, roots: dict[Path, Source], parts: Sequence[_Part], results: Results) -> None:
    """Check whole bundles; if only some files of a bundle are wanted, check the jobs in these."""

    def check(bundle: Bundle, only: set[str] | None) -> None:
        of_bundle = check_bundle(bundle, wanted.targets, all_targets=wanted.all_targets, only=only)
        results.checked += of_bundle.checked
        results.findings += of_bundle.findings
        for each in bundle.sources:
            if only is None or each.file in only:
                results.findings += [*_doubled(each), *_unread(each)]

    covered: set[Path] = set()
    for source in roots.values():
        bundle = whole_bundle(source)
        covered.update(each.path.resolve() for each in bundle.sources if each.path)
        check(bundle, None)
    by_root: dict[Path, list[Source]] = {}
    for source, root in parts:
        if source.path and source.path.resolve() in covered:
            continue
        if root is None:
            check(part_of_bundle(source), None)
        else:
            by_root.setdefault(root, []).append(source)
    for root, sources in by_root.items():
        check(whole_bundle(read_source(str(root))), {each.file for each in sources})


def _read(named: Named, results: Results) -> Source | None:
    """Read a file. A file that was not named may belong to another program, so it need not be readable."""
    try:
        source = read_source(named.name)
    except NotReadable as error:
        path = None if named.name == STDIN else Path(named.name)
        if path is None or named.is_named or path.name in BUNDLE_FILES:
            results.findings.append(not_read(path, error, "error"))
        elif path.suffix != ".json":  # many of these have comments
            results.findings.append(not_read(path, error, "warning"))
        return None
    if not source.documents and named.is_named:
        results.findings.append(Finding(source.file, None, "", "", "error", "The file is empty."))
    return source


def _check_definitions(source: Source, results: Results, *, is_named: bool) -> bool:
    """Check the definitions in a file that is not of a bundle, and return whether it has any."""
    found = [each for document in source.documents for each in definitions_in(document, is_named=is_named)]
    references = References(Node({}, source.file), None, {}, is_complete=False)
    for node, kind, name in found:
        results.checked.append(Checked(node.file, node.line, name, kind.says))
        try:
            results.findings += findings_of(references.filled(node, lambda *_: None), name, kind)
        except (NotReadable, RecursionError) as error:
            results.findings.append(not_checked(node, name, error))
    if found:
        results.findings += _doubled(source)
    return bool(found)


def _doubled(source: Source) -> list[Finding]:
    message = "is there twice in one object; the last one counts."
    return [Finding(source.file, line, "", key, "warning", f"`{key[:100]}` {message}") for line, key in source.doubled]


def _unread(source: Source) -> list[Finding]:
    message = "A deployment reads only the first document of the file; put this one into its own file."
    return [Finding(each.file, each.line, "", "", "warning", message) for each in source.documents[1:]]


def _is_root(source: Source) -> bool:
    return any(each.get("bundle") is not None for each in source.documents)
