"""The "My cover" pages, where shoppers see and manage the cover they have bought."""

from __future__ import annotations
