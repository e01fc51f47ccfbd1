"""`manage.py xcover_erase`: delete every row about an order, for a customer who wants it gone."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_xcover import exceptions
from django_xcover.support import erasure
from django_xcover.tracebacks import clears_frames


class Command(BaseCommand):
    """Delete what is kept about an order's cover, its evidence included."""

    help = "Deletes every row about an order. Have XCover erase the customer first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the order and the word that it is meant."""
        parser.add_argument("order", help="the order's reference")
        parser.add_argument("--yes", action="store_true", help="it is meant: this cannot be undone")

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how many packages are gone."""
        if not options["yes"]:
            raise CommandError("This cannot be undone: repeat it with --yes.")
        try:
            packages = erasure.erase_order(options["order"])
        except exceptions.NotErasable as reason:
            raise CommandError(f"Nothing was erased. {reason}") from None
        if not packages:
            raise CommandError("There is nothing about this order.")
        self.stdout.write(f"Everything about the order is gone: {packages} packages.")
