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

from django_xcover.services.breaker import Circuit
from django_xcover.services.cache_reach import Reach
from django_xcover.services.rate_limits import RateState
from django_xcover.services.status import AccountStatus, Status, count_text, status

CACHES = {
    Reach.SHARED: "shared",
    Reach.PROCESS: "each process has its own: circuits, rates and sweep are not known here",
    Reach.NOBODY: "keeps nothing: circuits, rates and sweep are not known",
    Reach.AWAY: "away: circuits, rates and sweep are not known",
}


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
    told = [f"{count_text(count)} {state}" for state, count in now.operations.items() if count]
    return [
        ("operations", ", ".join(told) or "none"),
        ("oldest due", _time(now.oldest_due, "nothing is due")),
        ("without a worker", str(now.without_worker)),
        ("flagged bookings", str(now.flagged_packages)),
        ("open discrepancies", str(now.open_discrepancies)),
        ("failed webhooks", str(now.failed_webhooks)),
        ("refunds to record", str(now.refunds_to_record)),
        ("overdue instalments", str(now.overdue_instalments)),
        ("last sweep", _time(now.last_sweep, "unknown")),
        ("cache", CACHES[now.cache]),
        *(line for account in now.accounts for line in _account(account)),
        ("needs a person", str(now.needs_person)),
    ]


def _account(account: AccountStatus) -> list[tuple[str, str]]:
    parts = [f"circuit {_circuit(account)}"]
    if account.paused_since is not None:
        why = f" ({account.pause_reason})" if account.pause_reason else ""
        parts.append(f"PAUSED since {_time(account.paused_since)}{why}")
    parts.append(f"reconciled {_time(account.reconciled_at, 'never')}")
    parts += ["reconciling"] if account.reconciling else []
    rates = [(f"  rate {rate.group}", _rate(rate)) for rate in account.rates]
    return [(f"account {account.name}", ", ".join(parts)), *rates]


def _circuit(account: AccountStatus) -> str:
    if account.circuit == Circuit.CLOSED:
        return f"closed ({account.faults} of the last {account.calls} calls failed)"
    if account.opened_at is None:
        return account.circuit
    since = f"{account.circuit} since {_time(account.opened_at)}"
    return f"{since}, next try from {_time(account.open_until)}"


def _rate(rate: RateState) -> str:
    told = f"{rate.rate:g} calls a second"
    if rate.paused_until is None:
        return told
    return f"{told}, XCover asked for a pause until {_time(rate.paused_until)}"


def _time(moment: datetime | None, otherwise: str = "") -> str:
    return otherwise if moment is None else f"{moment:%Y-%m-%d %H:%M:%S %Z}"
