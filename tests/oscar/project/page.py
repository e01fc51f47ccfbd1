"""The code blocks of docs/oscar.md, which this project is made of."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "oscar.md"
FENCE = re.compile(r"^```(?P<language>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """Return the blocks in this language, in their order."""
    return [m["text"] for m in FENCE.finditer(PAGE.read_text()) if m["language"] == language]


def block(words: str) -> str:
    """Return the only Python block with these words."""
    [found] = [text for text in blocks("python") if words in text]
    return found
