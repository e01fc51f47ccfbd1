"""A local XCover: one engine, mounted in-process for tests or served over HTTP.

It imports nothing from the rest of django_xcover, so that it stays an independent witness.
"""

from __future__ import annotations

from django_xcover.sandbox.engine import Sandbox

__all__ = ["Sandbox"]
