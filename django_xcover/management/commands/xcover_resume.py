"""`manage.py xcover_resume default`: resume a paused account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_xcover.outbox import account_pause
from django_xcover.tracebacks import clears_frames


class Command(BaseCommand):
    """Resume the operations of a paused account."""

    help = "Resumes a paused account. Its waiting operations are handed to the workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the account."""
        parser.add_argument("account", help="the name in XCOVER['ACCOUNTS']")

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Resume the account. Raise CommandError if it is not paused."""
        if not account_pause.resume(options["account"], by=account_pause.COMMAND_LINE):
            raise CommandError(f"The account {options['account']!r} is not paused.")
        self.stdout.write(f"{options['account']} was resumed.")
