"""Tests of the API."""

from __future__ import annotations
