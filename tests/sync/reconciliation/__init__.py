"""Reconciliation: XCover's bookings against ours."""

from __future__ import annotations
