"""PUBLIC: helpers for a shop's tests of its integration, without an account or a network."""

from __future__ import annotations
