"""`manage.py xcover_erase`: delete all data about an order, at a customer's request."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_xcover import exceptions
from django_xcover.support import erasure
from django_xcover.tracebacks import clears_frames


class Command(BaseCommand):
    """Delete all data about an order's cover, including the recorded decisions."""

    help = "Deletes all data about an order. Ask XCover to erase the customer first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the order and the confirmation."""
        parser.add_argument("order", help="the order's reference")
        parser.add_argument("--yes", action="store_true", help="confirm; this cannot be undone")

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Erase the order and print the number of packages. Raise CommandError if it cannot be."""
        if not options["yes"]:
            raise CommandError("This cannot be undone. To confirm, repeat the command with --yes.")
        try:
            packages = erasure.erase_order(options["order"])
        except exceptions.NotErasable as reason:
            raise CommandError(f"Nothing was erased. {reason}") from None
        if not packages:
            raise CommandError("There is no data about this order.")
        self.stdout.write(f"Erased all data about the order. Packages: {packages}.")
