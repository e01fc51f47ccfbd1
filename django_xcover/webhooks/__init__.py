"""The endpoint for XCover's webhooks."""

from __future__ import annotations
