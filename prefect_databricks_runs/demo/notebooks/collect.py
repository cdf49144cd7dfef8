"""Read every module of Python's standard library and write down its contents, one JSON line for each file."""

import ast
import json
import sys
from pathlib import Path

LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "ensurepip", "__pycache__"}


def describe(path: Path, name: str) -> dict:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    imports = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imports.add(node.module.partition(".")[0])
    return {
        "module": name,
        "lines": text.count("\n"),
        "imports": sorted(imports),
        "functions": [
            {
                "name": each.name,
                "lines": each.end_lineno - each.lineno + 1,
                "documented": ast.get_docstring(each) is not None,
            }
            for each in functions
        ],
    }


folder = Path(sys.argv[1])
library = Path(ast.__file__).parent
folder.mkdir(parents=True, exist_ok=True)
count = 0
with (folder / "raw.jsonl").open("w") as out:
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        if LEFT_OUT.intersection(parts):
            continue
        name = ".".join(parts)
        try:
            row = describe(path, name)
        except (SyntaxError, UnicodeDecodeError) as error:
            row = {"module": name, "error": str(error)}
        out.write(json.dumps(row) + "\n")
        count += 1
print(f"{count} files of {library} read")
