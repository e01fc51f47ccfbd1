"""`manage.py xcover_status`: how everything stands; exit code 1 when a person is needed."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from django_xcover.services.status import AccountStatus, Status, status


class Command(BaseCommand):
    """Print counts and times, and end with 1 when something waits for a person."""

    help = "Shows how the outbox, the accounts and the comparison with XCover stand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the form of the output."""
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, print, and end with 1 when a person is needed."""
        now = status()
        if options["json"]:
            plain = {**asdict(now), "needs_person": now.needs_person}
            self.stdout.write(json.dumps(plain, cls=DjangoJSONEncoder, indent=2))
        else:
            for name, value in _lines(now):
                self.stdout.write(f"{name:22}{value}")
        if now.needs_person:
            sys.exit(1)


def _lines(now: Status) -> list[tuple[str, str]]:
    told = [f"{count} {state}" for state, count in now.operations.items() if count]
    return [
        ("operations", ", ".join(told) or "none"),
        ("oldest due", _time(now.oldest_due, "nothing is due")),
        ("flagged bookings", str(now.flagged_packages)),
        ("open discrepancies", str(now.open_discrepancies)),
        ("failed webhooks", str(now.failed_webhooks)),
        ("last sweep", _time(now.last_sweep, "unknown")),
        *((f"account {account.name}", _account(account)) for account in now.accounts),
        ("needs a person", str(now.needs_person)),
    ]


def _account(account: AccountStatus) -> str:
    parts = [f"circuit {account.circuit}"]
    if account.paused_since is not None:
        why = f" ({account.pause_reason})" if account.pause_reason else ""
        parts.append(f"PAUSED since {_time(account.paused_since)}{why}")
    parts.append(f"reconciled {_time(account.reconciled_at, 'never')}")
    return ", ".join([*parts, *(["reconciling"] if account.reconciling else [])])


def _time(moment: datetime | None, otherwise: str = "") -> str:
    return otherwise if moment is None else f"{moment:%Y-%m-%d %H:%M:%S %Z}"
