"""Docstrings, annotations and signatures as Markdown."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# Types with rules for their values, and the names that a reader knows.
_PLAIN = {
    "_Tries": "int",
    "_Count": "int",
    "_SomeSeconds": "float",
    "_Seconds": "float",
    "_YesOrNo": "bool",
    "EmptyText": "str",
    "AnyWay": "SignIn",
    "Dict[": "dict[",
}


def sections_of(shown: Any) -> defaultdict[str, Any]:
    """Return the sections of a docstring by kind: `text` as paragraphs, `example` as Markdown, the others as entries.

    Args:
        shown: The object, as griffe has read it.
    """
    found: defaultdict[str, Any] = defaultdict(list)
    for section in shown.docstring.parsed if shown.docstring else ():
        kind = str(section.kind.value)
        if kind == "text":
            found["text"] += [_unwrapped(each) for each in re.split(r"\n\n(?!  )", section.value)]
        elif kind == "admonition":
            found["example"] = section.value.description
        else:
            found[kind] = section.value
    return found


def endings(sections: dict[str, Any]) -> Iterator[str]:
    """Return the last sections of a docstring: what is returned and raised, and the example.

    Args:
        sections: What `sections_of` returns.
    """
    for kind in ("returns", "yields"):
        for each in sections[kind]:
            yield f"**{kind.capitalize()}**: {_one_line(each.description)}"
    raised = [f"* {code(str(each.annotation))}: {_one_line(each.description)}" for each in sections["raises"]]
    if raised:
        yield "**Raises**:\n\n" + "\n".join(raised)
    if sections["example"]:
        before, source = re.fullmatch(r"(.*?)```python\n(.*?)```", sections["example"].strip(), re.DOTALL).groups()
        yield f"**Example**: {_one_line(before)}".strip()
        yield f"```python\n{source.replace('BLOCK_NAME', 'prod')}```"


def description_of(member: Any) -> str:
    """Return the first paragraph on a member: of its docstring, or of the `Field` of a form.

    Args:
        member: The attribute, property or method.
    """
    if member.docstring:
        return str(next(iter(sections_of(member)["text"]), ""))
    value = getattr(member, "value", None)
    call = ast.parse(str(value), mode="eval").body if value is not None and "description=" in str(value) else None
    for keyword in call.keywords if isinstance(call, ast.Call) else ():
        if keyword.arg == "description" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""


def signature(function: Any) -> str:
    """Return the parameters of a function as they are in a call, without their types.

    Args:
        function: The function.
    """
    parts: list[str] = []
    for each in function.parameters:
        kind = str(getattr(each.kind, "value", each.kind))
        prefix = {"variadic keyword": "**", "variadic positional": "*"}.get(kind, "")
        if kind == "keyword-only" and not any(part.startswith("*") for part in parts):
            parts.append("*")
        if each.name not in ("self", "cls"):
            parts.append(f"{prefix}{each.name}" + ("" if prefix or each.default is None else f"={each.default}"))
    return ", ".join(parts)


def annotation_of(annotation: Any) -> str:
    """Return a type without the rules for its values, in today's spelling.

    Args:
        annotation: The annotation, as griffe has read it.
    """
    text = str(annotation or "")
    if text.startswith("Annotated["):
        text = re.split(r", (?:Default\(|EMPTY|Field\()", text[len("Annotated[") : -1])[0]
    for own, plain in _PLAIN.items():
        text = text.replace(own, plain)
    return re.sub(r"Optional\[(.*)\]", r"\1 | None", text)


def default_of(shown: Any, module: Any) -> str:
    """Return the default of a parameter or option; empty if it has none.

    Args:
        shown: The parameter, or the field of a `TypedDict`.
        module: Its module, in which a default may have a name.
    """
    in_annotation = re.search(r"Default\(([^)]*)\)", str(shown.annotation or ""))
    default = in_annotation[1] if in_annotation else getattr(shown, "default", None)
    if default is None:
        return ""
    constant = module.members.get(str(default))
    if constant is not None:
        default = (constant.final_target if constant.is_alias else constant).value
    return code(str(default))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Return a table, without its empty columns; nothing if there are no rows.

    Args:
        head: The headings.
        rows: The cells.
    """
    cells = [[_one_line(cell).replace("|", r"\|") for cell in row] for row in rows]
    columns = [index for index in range(len(head)) if any(row[index] for row in cells)]
    if cells:
        lines = [head, ["---"] * len(head), *cells]
        yield "\n".join("| " + " | ".join(line[index] for index in columns) + " |" for line in lines)


def code(text: str) -> str:
    """Return the text as code; empty stays empty."""
    return f"`{text}`" if text else ""


def code_of_type(annotation: Any) -> str:
    """Return a type as code, a union as its parts: a `|` in a table cannot be written so that all renderers show it.

    Args:
        annotation: The annotation, as griffe has read it.
    """
    parts, depth = [""], 0
    for piece in re.split(r"( \| |[\[\]])", annotation_of(annotation)):
        depth += {"[": 1, "]": -1}.get(piece, 0)
        if piece == " | " and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return " or ".join(map(code, parts))


def and_list(parts: Sequence[str]) -> str:
    """Return the parts as one phrase: `a, b and c`."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _unwrapped(paragraph: str) -> str:
    if paragraph.startswith("* "):
        return re.sub(r"\n  +", " ", paragraph)
    return paragraph if paragraph.startswith(("```", "|")) else _one_line(paragraph)


def _one_line(text: str) -> str:
    return " ".join(text.split())
