"""Oscar wants a library for thumbnails; this shop has no pictures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from oscar.core.thumbnails import AbstractThumbnailer


class NoThumbnails(AbstractThumbnailer):
    def generate_thumbnail(self, source: Any, **options: Any) -> Any:
        return SimpleNamespace(url="/static/none.png")

    def delete_thumbnails(self, source: Any) -> None:
        """There are none."""
