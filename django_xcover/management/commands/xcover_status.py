"""`manage.py xcover_status`: whether everything is well, in its exit code and in sentences."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError

from django_xcover.clients.cache import Reach
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.clients.rate_limits import RateState
from django_xcover.support.health import Health, State, health
from django_xcover.support.status import AccountStatus, Status, count_text
from django_xcover.tracebacks import clears_frames

UNKNOWN = 3
NAGIOS = {State.WELL: "OK", State.ATTENTION: "WARNING", State.ALARM: "CRITICAL"}
CACHES = {
    Reach.SHARED: "shared",
    Reach.PROCESS: "each process has its own: circuits and rates are not known here",
    Reach.NOBODY: "keeps nothing: circuits and rates are not known",
    Reach.AWAY: "away: circuits and rates are not known",
}


class Command(BaseCommand):
    """Print what is not well and the figures behind it, and end with the worst state there is.

    0: all is well. 1: something needs looking at. 2: sales or bookings stand still. 3: it could not
    be found out.
    """

    help = (
        "Shows whether everything is well, and how outbox, accounts and the comparison with XCover "
        "stand. Ends with 0 when all is well, 1 when something needs looking at, 2 when sales or "
        "bookings stand still, 3 when that cannot be found out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the form of the output."""
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="one document, for machines")
        form.add_argument("--check", action="store_true", help="one line, for Nagios and cron")

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Look, print, and end with the code of the worst state."""
        try:
            found = health()
        except (DatabaseError, ImproperlyConfigured) as error:
            # Its class only: a driver's message may quote an address with a password.
            self._unknown(type(error).__name__, as_json=options["json"])
        if options["json"]:
            self.stdout.write(json.dumps(_document(found), cls=DjangoJSONEncoder, indent=2))
        elif options["check"]:
            self.stdout.write(_one_line(found))
        else:
            self._print(found)
        if found.state != State.WELL:
            sys.exit(int(found.state))

    def _print(self, found: Health) -> None:
        problems = list(found.problems())
        for one in problems:
            self.stdout.write(f"{one.state.name:12}{one.sentence}")
        if not problems:
            self.stdout.write("All is well.")
        self.stdout.write("")
        for name, value in _lines(found.status):
            self.stdout.write(f"{name:22}{value}")

    def _unknown(self, error: str, *, as_json: bool) -> NoReturn:
        sentence = f"It cannot be found out whether everything is well ({error})."
        document = {"state": "unknown", "exit_code": UNKNOWN, "health": [], "error": error}
        self.stdout.write(json.dumps(document, indent=2) if as_json else f"UNKNOWN - {sentence}")
        sys.exit(UNKNOWN)


def _document(found: Health) -> dict[str, Any]:
    now = found.status
    subjects = [
        {
            "subject": one.name,
            "account": one.account,
            "state": one.state.name.lower(),
            "exit_code": one.exit_code,
            "sentence": one.sentence,
        }
        for one in found.subjects
    ]
    verdict = {"state": found.state.name.lower(), "exit_code": int(found.state)}
    return {**verdict, "health": subjects, **asdict(now), "needs_person": now.needs_person}


def _one_line(found: Health) -> str:
    problems = " ".join(one.sentence for one in found.problems())
    counts = " ".join(f"{state}={count}" for state, count in found.status.operations.items())
    return f"XCOVER {NAGIOS[found.state]} - {problems or 'All is well.'} | {counts}"


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
        ("last sweep", _time(now.last_sweep, "never")),
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
    if account.reconciliation_error:
        parts.append(f"the last comparison failed: {account.reconciliation_error}")
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
