"""The health of the installation, for the command line, the admin and the checks."""

from __future__ import annotations

from django_xcover.support.health.judging import Health, State, Subject, health

__all__ = ["Health", "State", "Subject", "health"]
