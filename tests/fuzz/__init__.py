"""Mutated webhooks and mutated answers of XCover's, by the hundred thousand."""

from __future__ import annotations
