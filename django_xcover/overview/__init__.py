"""Read-only views of a shopper's cover. They read rows and make no calls to XCover."""

from __future__ import annotations
