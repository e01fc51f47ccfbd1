"""Encore & Co.: a small shop that sells tickets and the things that make music sound better."""

from __future__ import annotations

# Celery's own advice: the app exists as soon as Django does, so that shared tasks use it.
from example_shop.celery import app as celery_app

__all__ = ["celery_app"]
