"""The pages and their code blocks.

A comment right above a block says how it is tested when it cannot be run as it stands:
`<!-- from path -->` (an excerpt of that file), `<!-- not run: reason -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = (README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md")))
FENCE = re.compile(r"^```(?P<language>\S*)$")
COMMENT = re.compile(r"^<!-- (?:from (?P<path>\S+)|not run: (?P<text>.+)) -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: where it stands, its language and text, and what is said about it."""

    page: Path
    line: int
    language: str
    text: str
    source: str = ""
    excuse: str = ""

    @property
    def name(self) -> str:
        return f"{self.page.name}:{self.line}"

    def code(self) -> Any:
        """Return the compiled block; tracebacks name the page and its line."""
        return compile("\n" * (self.line - 1) + self.text, str(self.page), "exec")


@lru_cache
def blocks(page: Path) -> tuple[Block, ...]:
    """Return the blocks of one page, in their order."""
    return tuple(_parse(page))


def all_blocks(*languages: str) -> list[Block]:
    """Return the blocks in these languages, of every page."""
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


def _parse(page: Path) -> Iterator[Block]:
    lines = page.read_text().splitlines()
    opened: int | None = None
    language = ""
    for number, line in enumerate(lines, start=1):
        fence = FENCE.match(line)
        if fence is None:
            continue
        if opened is None:
            opened, language = number, fence["language"]
            continue
        text = "\n".join(lines[opened : number - 1]) + "\n"
        yield Block(page, opened + 1, language, text, **_said(lines, opened))
        opened = None


def _said(lines: list[str], opened: int) -> dict[str, str]:
    """Return what the comment right above the block says about it."""
    comment = COMMENT.match(lines[opened - 2]) if opened > 1 else None
    if comment is None:
        return {}
    return {"source": comment["path"] or "", "excuse": comment["text"] or ""}


def table(page: Path, head: str, *, number: int = 1) -> list[list[str]]:
    """Return the rows of the table on `page` whose head line begins with `head`, cell by cell.

    `number` tells tables with the same head apart, from 1.
    """
    lines = page.read_text().splitlines()
    start = [i for i, line in enumerate(lines) if line.startswith(head)][number - 1]
    rows = takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return [[cell.strip() for cell in row[1:-1].split("|")] for row in rows]


def column(page: Path, head: str, **which: int) -> list[str]:
    """Return the names in backquotes in the first column of a table."""
    return [name for row in table(page, head, **which) for name in code_in(row[0])]


def code_in(text: str) -> list[str]:
    """Return what stands in backquotes in `text`."""
    return re.findall(r"`([^`]+)`", text)
