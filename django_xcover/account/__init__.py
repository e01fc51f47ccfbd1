"""The door for shoppers who have cover: what they have, and what they can do about it."""

from __future__ import annotations
