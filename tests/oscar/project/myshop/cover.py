"""The adapters of docs/oscar.md."""

from __future__ import annotations

import page

for words in ("class ShopCover", "class EachItem"):
    exec(page.block(words), globals())
