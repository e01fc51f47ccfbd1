"""`manage.py xcover_pause default --reason "Prices are wrong"`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from django_xcover.outbox import account_pause
from django_xcover.tracebacks import clears_frames


class Command(BaseCommand):
    """Let no worker take an operation of an account."""

    help = "Pauses an account: what has to happen at XCover waits until xcover_resume."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which account, and why."""
        parser.add_argument("account", help="its name in XCOVER['ACCOUNTS']")
        parser.add_argument("--reason", default="", help="for those who wonder; 200 characters")

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Pause the account and say since when it is."""
        try:
            row = account_pause.pause(
                options["account"], by=account_pause.COMMAND_LINE, reason=options["reason"][:200]
            )
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        why = f" ({row.reason})" if row.reason else ""
        self.stdout.write(f"{row.account} is paused since {row.paused_at:%Y-%m-%d %H:%M %Z}{why}.")
