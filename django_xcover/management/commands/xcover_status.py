"""`manage.py xcover_status`: print the health of the integration and exit with its code."""

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

from django_xcover.clients.cache import CacheScope
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.clients.rate_limits import RateState
from django_xcover.support.health import Health, State, health
from django_xcover.support.status import AccountStatus, Status, count_text
from django_xcover.tracebacks import clears_frames

UNKNOWN = 3
NAGIOS = {State.WELL: "OK", State.ATTENTION: "WARNING", State.ALARM: "CRITICAL"}
CACHES = {
    CacheScope.SHARED: "shared",
    CacheScope.PROCESS: "each process has its own: circuits and rates are unknown here",
    CacheScope.NONE: "dummy, stores nothing: circuits and rates are unknown",
    CacheScope.UNAVAILABLE: "unavailable: circuits and rates are unknown",
}


class Command(BaseCommand):
    """Print problems and figures, and exit with the code of the worst state.

    0: all is well. 1: something needs attention. 2: sales or bookings have stopped. 3: the state is
    unknown.
    """

    help = (
        "Shows problems and the state of the outbox, the accounts and reconciliation. Exits with 0 "
        "if all is well, 1 if something needs attention, 2 if sales or bookings have stopped, 3 if "
        "the state is unknown."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options for the output format."""
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--json", action="store_true", help="print one JSON document")
        output.add_argument("--check", action="store_true", help="one line, for Nagios and cron")

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Print the state and exit with its code."""
        try:
            report = health()
        except (DatabaseError, ImproperlyConfigured) as error:
            # Only the class, because a driver's message may quote a URL with a password.
            self._unknown(type(error).__name__, as_json=options["json"])
        if options["json"]:
            self.stdout.write(json.dumps(_document(report), cls=DjangoJSONEncoder, indent=2))
        elif options["check"]:
            self.stdout.write(_one_line(report))
        else:
            self._print(report)
        if report.state != State.WELL:
            sys.exit(int(report.state))

    def _print(self, report: Health) -> None:
        problems = list(report.problems())
        for problem in problems:
            self.stdout.write(f"{problem.state.name:12}{problem.sentence}")
        if not problems:
            self.stdout.write("All is well.")
        self.stdout.write("")
        for name, value in _lines(report.status):
            self.stdout.write(f"{name:22}{value}")

    def _unknown(self, error: str, *, as_json: bool) -> NoReturn:
        sentence = f"The state could not be determined ({error})."
        document = {"state": "unknown", "exit_code": UNKNOWN, "health": [], "error": error}
        self.stdout.write(json.dumps(document, indent=2) if as_json else f"UNKNOWN - {sentence}")
        sys.exit(UNKNOWN)


def _document(report: Health) -> dict[str, Any]:
    status = report.status
    subjects = [
        {
            "subject": subject.name,
            "account": subject.account,
            "state": subject.state.name.lower(),
            "exit_code": subject.exit_code,
            "sentence": subject.sentence,
        }
        for subject in report.subjects
    ]
    verdict = {"state": report.state.name.lower(), "exit_code": int(report.state)}
    return {**verdict, "health": subjects, **asdict(status), "needs_person": status.needs_person}


def _one_line(report: Health) -> str:
    problems = " ".join(problem.sentence for problem in report.problems())
    counts = " ".join(f"{state}={count}" for state, count in report.status.operations.items())
    return f"XCOVER {NAGIOS[report.state]} - {problems or 'All is well.'} | {counts}"


def _lines(status: Status) -> list[tuple[str, str]]:
    counts = [f"{count_text(count)} {state}" for state, count in status.operations.items() if count]
    return [
        ("operations", ", ".join(counts) or "none"),
        ("oldest due", _time(status.oldest_due, "nothing is due")),
        ("without a worker", str(status.without_worker)),
        ("flagged bookings", str(status.flagged_packages)),
        ("open discrepancies", str(status.open_discrepancies)),
        ("failed webhooks", str(status.failed_webhooks)),
        ("refunds to record", str(status.refunds_to_record)),
        ("overdue instalments", str(status.overdue_instalments)),
        ("last sweep", _time(status.last_sweep, "never")),
        ("cache", CACHES[status.cache]),
        *(line for account in status.accounts for line in _account(account)),
        ("needs a person", str(status.needs_person)),
    ]


def _account(account: AccountStatus) -> list[tuple[str, str]]:
    parts = [f"circuit {_circuit(account)}"]
    if account.paused_since is not None:
        why = f" ({account.pause_reason})" if account.pause_reason else ""
        parts.append(f"PAUSED since {_time(account.paused_since)}{why}")
    parts.append(f"reconciled {_time(account.reconciled_at, 'never')}")
    parts += ["reconciling"] if account.reconciling else []
    if account.reconciliation_error:
        parts.append(f"last reconciliation failed: {account.reconciliation_error}")
    rates = [(f"  rate {rate.group}", _rate(rate)) for rate in account.rates]
    return [(f"account {account.name}", ", ".join(parts)), *rates]


def _circuit(account: AccountStatus) -> str:
    if account.circuit == Circuit.CLOSED:
        return f"closed ({account.faults} of the last {account.calls} calls failed)"
    if account.opened_at is None:
        return account.circuit
    since = f"{account.circuit} since {_time(account.opened_at)}"
    return f"{since}, next probe from {_time(account.open_until)}"


def _rate(rate: RateState) -> str:
    text = f"{rate.rate:g} calls per second"
    if rate.paused_until is None:
        return text
    return f"{text}, XCover asked for a pause until {_time(rate.paused_until)}"


def _time(moment: datetime | None, otherwise: str = "") -> str:
    return otherwise if moment is None else f"{moment:%Y-%m-%d %H:%M:%S %Z}"
