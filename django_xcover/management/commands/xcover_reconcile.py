"""`manage.py xcover_reconcile --fix`: compare all of XCover's bookings with all of ours."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

import click
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from django_xcover import exceptions
from django_xcover.client import XCoverError
from django_xcover.conf import get_config
from django_xcover.exceptions import code_of
from django_xcover.formats import format_amount
from django_xcover.models import QuotePackage
from django_xcover.sync import reconciliation
from django_xcover.sync.reconciliation import Report
from django_xcover.sync.reconciliation.report import Total
from django_xcover.tracebacks import clears_frames


class Command(BaseCommand):
    """Start or continue a reconciliation pass for each account and print the differences."""

    help = (
        "Compares XCover's bookings with ours. Differences and their amounts are listed in the "
        "admin. If interrupted, the next run continues where this one stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options for what to compare and what to write."""
        parser.add_argument("--account", help="only this account; default: all")
        parser.add_argument(
            "--since", type=_moment, help="only bookings changed since, such as 2026-03-01[T09:00]"
        )
        writing = parser.add_mutually_exclusive_group()
        writing.add_argument("--fix", action="store_true", help="also repair what is safe")
        writing.add_argument("--dry-run", action="store_true", help="write nothing")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Reconcile and print the reports. Raise CommandError if an account was not finished."""
        names = [options["account"]] if options["account"] else list(get_config().accounts)
        reports, problems = self._walk_all(names, options)
        if options["json"]:
            self.stdout.write(json.dumps([report.as_json() for report in reports], indent=2))
        else:
            for report in reports:
                self._print(report)
        stopped = [f"{r.account} ({code_of(r.error)})" for r in reports if r.error]
        if stopped:
            problems.append(f"Calls to XCover failed: {', '.join(stopped)}. Run it again.")
        if problems:
            raise CommandError(" ".join(problems))

    def _walk_all(
        self, names: list[str], options: dict[str, Any]
    ) -> tuple[list[Report], list[str]]:
        """Return the report of each account, and the problems of those that have none."""
        reports, problems = list[Report](), list[str]()
        for name in names:
            try:
                reports.append(self._walk(name, options))
            except CommandError as error:
                problems.append(str(error))
        return reports, problems

    def _walk(self, account: str, options: dict[str, Any]) -> Report:
        names = ("since", "fix", "dry_run")
        wanted = {name: options[name] for name in names}
        # Without a terminal click draws no bar.
        length = QuotePackage.objects.booked().filter(account=account).count()
        with click.progressbar(length=length, label=account, file=sys.stderr) as bar:
            try:
                get_config().account(account)
                return reconciliation.reconcile(account, progress=bar.update, **wanted)
            except (exceptions.ReconciliationUnderWay, ImproperlyConfigured, XCoverError) as error:
                raise CommandError(str(error)) from None

    def _print(self, report: Report) -> None:
        end = "finished" if report.is_finished else "not finished"
        self.stdout.write(f"{report.account}: {end}")
        for name, count in (
            ("bookings in XCover's list", report.listed),
            ("other packages of ours", report.looked_at),
            ("packages repaired", report.mended),
            ("operations sent to a worker", report.handed_over),
            ("bookings that could not be read", report.unreadable),
        ):
            self.stdout.write(f"  {name:32}{count:>8}")
        if report.lines:
            heads = f"{'count':>8}  {'at stake':>14}  {'more at XCover':>14}"
            self.stdout.write(f"  {'discrepancies':32}{heads}")
        for line in report.lines:
            self.stdout.write(_row(str(line.kind.label), line))
        for total in report.totals:
            self.stdout.write(_row(f"total in {total.at_stake.currency}", total))


def _row(name: str, total: Total) -> str:
    at_stake, difference = format_amount(total.at_stake), format_amount(total.difference)
    return f"  {name:32}{total.count:>8}  {at_stake:>14}  {difference:>14}"


def _moment(text: str) -> datetime:
    try:
        day = parse_date(text)
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001
    except ValueError:
        moment = None
    if moment is None:
        raise ArgumentTypeError(f"{text!r} is not a date or time such as 2026-03-01.")
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
