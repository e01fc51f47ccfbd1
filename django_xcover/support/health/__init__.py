"""The health of the installation, for the command line, the admin and the checks."""

from __future__ import annotations

from django_xcover.support.health.judging import health
from django_xcover.support.health.subjects import Health, State, Subject

__all__ = ["Health", "State", "Subject", "health"]
