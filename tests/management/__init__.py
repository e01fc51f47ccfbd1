"""The commands that people and monitors type."""

from __future__ import annotations
