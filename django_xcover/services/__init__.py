"""The only code that changes state. Doors call it; it calls no door."""

from __future__ import annotations
