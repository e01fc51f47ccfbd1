"""PUBLIC: what a shop needs to test its own integration, without an account or a network."""

from __future__ import annotations
