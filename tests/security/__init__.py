"""What an attacker would try across the doors; each door's own refusals are tested beside it."""

from __future__ import annotations
