"""`manage.py xcover_pause default --reason "Prices are wrong"`: pause an account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from django_xcover.outbox import account_pause
from django_xcover.tracebacks import clears_frames


class Command(BaseCommand):
    """Stop workers from running the operations of an account."""

    help = "Pauses an account. Its operations at XCover wait until xcover_resume is called."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the account and the reason."""
        parser.add_argument("account", help="the name in XCOVER['ACCOUNTS']")
        parser.add_argument(
            "--reason", default="", help="shown to staff; at most 200 characters are stored"
        )

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Pause the account and print since when it is paused."""
        try:
            row = account_pause.pause(
                options["account"], by=account_pause.COMMAND_LINE, reason=options["reason"][:200]
            )
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        why = f" ({row.reason})" if row.reason else ""
        self.stdout.write(
            f"{row.account} has been paused since {row.paused_at:%Y-%m-%d %H:%M %Z}{why}."
        )
