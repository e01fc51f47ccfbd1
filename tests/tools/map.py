"""The map of this project in figures: `python -m tests.tools.map [--json]`.

What is counted, migrations and tests left out:

- modules, the folder with most modules side by side, lines of the median and of the ten largest
- private functions that one place alone calls, as a share of all functions
- import lines as a share of all lines
- modules of ours that one purchase, and one webhook, enters (traced while it runs; without the
  sandbox, which is XCover's side, the test helpers and the example shop)
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "django_xcover"
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Journeys:
    """A pytest plugin that offers `trace` and keeps which of our files were entered."""

    def __init__(self) -> None:
        self.entered: dict[str, set[str]] = {}

    @pytest.fixture
    def trace(self) -> Any:
        return self._trace

    @contextmanager
    def _trace(self, name: str) -> Iterator[None]:
        files = self.entered.setdefault(name, set())

        def note(frame: FrameType, event: str, arg: object) -> None:
            files.add(frame.f_code.co_filename)

        threading.setprofile(note)
        sys.setprofile(note)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def files(self, name: str) -> list[str]:
        """Return our modules that `name` entered, as paths from the package."""
        found = (Path(file) for file in self.entered[name] if not file.startswith("<"))
        entered = modules().keys() & set(found)  # an empty file is entered when it is imported
        ours = {file.relative_to(PACKAGE) for file in entered}
        return sorted(str(file) for file in ours if file.parts[0] not in {"sandbox", "testing"})


def modules() -> dict[Path, str]:
    """Return the package's modules with their text; empty files are no module."""
    files = (file for file in PACKAGE.rglob("*.py") if "migrations" not in file.parts)
    return {file: text for file in sorted(files) if (text := file.read_text())}


def structure(texts: dict[Path, str]) -> dict[str, Any]:
    """Return the figures that the files alone give."""
    lines = {file: len(text.splitlines()) for file, text in texts.items()}
    flat = Counter(file.parent for file in texts if file.name != "__init__.py")
    folder, most = flat.most_common(1)[0]
    largest = sorted(lines, key=lambda file: -lines[file])[:10]
    trees = [ast.parse(text) for text in texts.values()]
    imports = sum(_import_lines(tree) for tree in trees)
    once, functions = _helpers_used_once(trees)
    return {
        "modules": len(texts),
        "modules_without_sandbox": sum("sandbox" not in file.parts for file in texts),
        "largest_flat_folder": f"{folder.relative_to(ROOT)} ({most})",
        "median_module_lines": median(lines.values()),
        "largest_modules": [f"{file.relative_to(PACKAGE)} ({lines[file]})" for file in largest],
        "helpers_used_once_percent": round(100 * once / functions, 1),
        "import_lines_percent": round(100 * imports / sum(lines.values()), 1),
    }


def _import_lines(tree: ast.Module) -> int:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in nodes)


def _helpers_used_once(trees: list[ast.Module]) -> tuple[int, int]:
    """Count private functions of modules that are named once, and all functions."""
    once = functions = 0
    for tree in trees:
        names = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        functions += sum(isinstance(node, Function) for node in ast.walk(tree))
        private = [n.name for n in tree.body if isinstance(n, Function) and n.name.startswith("_")]
        once += sum(names[name] == 1 for name in private)
    return once, functions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    figures = structure(modules())
    journeys = Journeys()
    code = pytest.main(["-q", "-n0", "--no-header", "tests/tools/journeys.py"], plugins=[journeys])
    if code:
        raise SystemExit(code)
    for name in journeys.entered:
        files = journeys.files(name)
        figures[f"files_entered_by_one_{name}"] = len(files)
        if not options.json:
            print(f"\n{name}: {', '.join(files)}")  # noqa: T201
    if options.json:
        print(json.dumps(figures))  # noqa: T201
        return
    print()  # noqa: T201
    for name, value in figures.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        print(f"{name:32} {shown}")  # noqa: T201


if __name__ == "__main__":
    main()
