"""`manage.py xcover_resume default`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_xcover.outbox import account_pause
from django_xcover.tracebacks import clears_frames


class Command(BaseCommand):
    """Let the operations of a paused account go on."""

    help = "Resumes a paused account: what has waited is handed to the workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which account."""
        parser.add_argument("account", help="its name in XCOVER['ACCOUNTS']")

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Resume the account; say so when it was not paused."""
        if not account_pause.resume(options["account"], by=account_pause.COMMAND_LINE):
            raise CommandError(f"The account {options['account']!r} is not paused.")
        self.stdout.write(f"{options['account']} goes on.")
