"""Puts a bundle together from its files, and checks the jobs in it."""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from .._payload.looks import kind_of
from .documents import BUNDLE_FILES, is_of_bundle
from .findings import Checked, Finding, Results, merged
from .local_paths import with_deployed_paths
from .merging import laid_over, with_merged_lists
from .one_job import JOB, findings_of, not_checked
from .reading import Source, not_read, read_source
from .references import References
from .targets import Target, default_of, names_of, with_cluster_of_target, with_target
from .tree import ANYTHING, Node, NotReadable

_ONLY_OF_BUNDLES = ("permissions", "lifecycle")
_OBJECTS = ("resources", "targets", "variables")
_MADE_BY_CODE = ("python", "pydabs")
_MAX_FILES = 10_000
_MAX_PARENTS = 20


@dataclass
class Bundle:
    """A bundle, or a part of one whose root is not known.

    Attributes:
        folder: The folder of its root, or of the part; None for the standard input.
        root: All of its files as one.
        sources: The files, the root first.
        has_root: Whether its root is known.
        is_complete: Whether all of it is known, so that a name that it does not have is wrong.
        faults: What could not be read.
    """

    folder: Path | None
    root: Node
    sources: list[Source]
    has_root: bool = False
    is_complete: bool = False
    faults: list[Finding] = field(default_factory=list)


def part_of_bundle(source: Source) -> Bundle:
    """Return a bundle of one file whose root is not known: what other files may define can be anything."""
    root = _as_one(source) or Node({}, source.file)
    return Bundle(source.path.parent if source.path else None, root, [source])


def whole_bundle(source: Source) -> Bundle:
    """Return the bundle whose root is a file, with all that it includes."""
    bundle = part_of_bundle(source)
    if bundle.folder is None:
        return bundle
    bundle.has_root = bundle.is_complete = True
    included: dict[Path, None] = {}
    for pattern in bundle.root.list("include"):
        paths = dict.fromkeys(_included(bundle.folder, pattern))
        bundle.is_complete = bundle.is_complete and bool(paths)
        included |= paths
    for path in included:
        try:
            each = read_source(str(path))
        except NotReadable as error:
            bundle.is_complete = False
            bundle.faults.append(not_read(path, error, "error"))
            continue
        bundle.sources.append(each)
        bundle.root = laid_over(bundle.root, _as_one(each)) or bundle.root
    made_by_code = {*_MADE_BY_CODE} & {*bundle.root.value, *bundle.root.object("experimental")}
    bundle.is_complete = bundle.is_complete and not made_by_code and len(bundle.sources) < _MAX_FILES
    return bundle


class Roots:
    """Finds the roots of bundles, each of which is read once."""

    def __init__(self) -> None:
        self._included: dict[Path, frozenset[Path]] = {}
        self._nearest: dict[Path, Path | None] = {}

    def above(self, path: Path) -> Path | None:
        """Return the root file of the bundle that includes a file, or None if there is none."""
        path = path.absolute()
        root = self._at_or_above(path.parent)
        if root == path:
            root = self._at_or_above(path.parent.parent)
        return root if root and path.resolve() in self._included_by(root) else None

    def _at_or_above(self, folder: Path) -> Path | None:
        if folder not in self._nearest:
            files = (each / name for each in (folder, *folder.parents)[:_MAX_PARENTS] for name in BUNDLE_FILES)
            self._nearest[folder] = next(filter(Path.is_file, files), None)
        return self._nearest[folder]

    def _included_by(self, root: Path) -> frozenset[Path]:
        if root not in self._included:
            try:
                tree = _as_one(read_source(str(root)))
            except NotReadable:
                tree = None
            patterns = tree.list("include") if tree else []
            found = (each.resolve() for pattern in patterns for each in _included(root.parent, pattern))
            self._included[root] = frozenset(found)
        return self._included[root]


def check_bundle(bundle: Bundle, wanted: Sequence[str], *, all_targets: bool, only: set[str] | None) -> Results:
    """Check the jobs of a bundle.

    Args:
        bundle: The bundle.
        wanted: The names of the targets to check; the default target if there are none, else all of them.
        all_targets: Whether to check all targets.
        only: The files whose jobs are checked; None for all.
    """
    results = Results(findings=[each for each in bundle.faults if only is None or each.file in only])
    results.findings += _odd_parts(bundle.root)
    names = names_of(bundle.root)
    unknown = [name for name in wanted if name not in names] if bundle.has_root else []
    if unknown:
        known = ", ".join(names) or "none"
        message = f"The bundle has no target {', '.join(unknown)}; its targets are: {known}."
        results.findings.append(Finding(bundle.root.file, None, "", "", "error", message))
        return results
    chosen: list[str | None] = [*dict.fromkeys(wanted)]
    if not chosen and not all_targets and (default := default_of(bundle.root)) is not None:
        chosen = [default]
    chosen = chosen or [*names] or [None]
    found: list[tuple[str | None, Finding]] = []
    for name in chosen:
        target = with_target(bundle.root, name)
        for checked, findings in _jobs_of(bundle, target, only):
            results.checked.append(checked)
            found += [(name, each) for each in findings]
    results.findings += merged(found, len(chosen))
    return results


def _odd_parts(root: Node) -> Iterator[Finding]:
    """Yield the faults of parts of a bundle that are not objects, so that nothing in them is found."""
    resources = root.get("resources") or root
    parts = {"resources.jobs": resources.get("jobs"), **{key: root.get(key) for key in _OBJECTS}}
    for path, part in parts.items():
        if part is not None and part.value is not ANYTHING and not isinstance(part.value, (dict, str)):
            message = f"must be an object, not {kind_of(part.value)}."
            yield Finding(part.file, part.line, "", path, "fault", message)


def _jobs_of(bundle: Bundle, target: Target, only: set[str] | None) -> Iterator[tuple[Checked, list[Finding]]]:
    resources = target.root.get("resources")
    references = References(target.root, target.name, target.variables, is_complete=bundle.is_complete)
    for key, job in (resources.object("jobs") if resources else {}).items():
        if job.value is ANYTHING or (only is not None and not _is_in(job, only)):
            continue
        findings: list[Finding] = []
        checked = Checked(job.file, job.line, key, JOB.says, target.name)
        try:
            findings += _findings_of(job, key, target.root, references, bundle.folder)
        except (NotReadable, RecursionError) as error:
            findings.append(not_checked(job, key, error))
        for node, fault in references.of_variables:
            findings.append(Finding(node.file, node.line, "", "variables", "fault", fault))
        yield checked, findings


def _findings_of(job: Node, key: str, root: Node, references: References, folder: Path | None) -> list[Finding]:
    findings: list[Finding] = []

    def fault(node: Node, path: str, message: str) -> None:
        findings.append(Finding(node.file, node.line, key, path, "fault", message))

    def warning(node: Node, path: str, message: str) -> None:
        findings.append(Finding(node.file, node.line, key, path, "warning", message))

    written = with_merged_lists(job)
    filled = with_cluster_of_target(with_merged_lists(references.filled(written, fault)), root)
    if filled.value is ANYTHING:
        return findings
    if not isinstance(filled.value, dict):
        fault(job, "", "A job must be an object.")
        return findings
    if folder is not None:
        filled = with_deployed_paths(filled, written, folder, warning)
    own = {name: value for name, value in filled.value.items() if name not in _ONLY_OF_BUNDLES}
    return [*findings, *findings_of(filled.with_value(own), key, JOB)]


def _is_in(node: Node, files: Collection[str]) -> bool:
    """Whether a part of a job is in one of some files: a target may change in one what another one defines."""
    if node.file in files:
        return True
    below = node.value.values() if isinstance(node.value, dict) else node.value if isinstance(node.value, list) else ()
    return any(_is_in(each, files) for each in below)


def _as_one(source: Source) -> Node | None:
    """Return the content of a file of a bundle. The root may include a file that does not look like one of a bundle."""
    objects = [each for each in source.documents if isinstance(each.value, dict)]
    return next(filter(is_of_bundle, objects), objects[0] if objects else None)


def _included(folder: Path, pattern: Node) -> Iterator[Path]:
    if isinstance(pattern.value, str):
        found = islice(glob.iglob(pattern.value, root_dir=folder, recursive=True), _MAX_FILES)
        yield from (folder / name for name in sorted(found) if name not in BUNDLE_FILES and (folder / name).is_file())
