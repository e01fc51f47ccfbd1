"""What runs every minute, and what people look at: none of it may grow with the shop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client, override_settings
from django.utils import timezone

from django_xcover.booking import overdue_payments
from django_xcover.models import Reconciliation
from django_xcover.outbox import operations
from django_xcover.outbox.lease import Lease
from django_xcover.overview import policies
from django_xcover.policies import renewal
from django_xcover.support import status
from django_xcover.sync import reconciliation, webhooks
from django_xcover.sync.reconciliation import run
from django_xcover.sync.reconciliation.run import Rehearsal
from tests.benchmarks.rows import DUE

RATIO = 1.3
ORDER, PACKAGE, EMAIL = "ORD-0001500", "P0001500-INS", "c1500@example.com"
POLICY = "00000000-0000-0000-0000-000000001500"


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that is done or looked at. `grows` says why it may take longer in a large shop."""

    name: str
    act: Callable[[Client], object]
    grows: str = ""

    @property
    def max_ratio(self) -> float | None:
        """Return what its time in the large shop may be of that in the small one."""
        return None if self.grows else RATIO


def page(path: str) -> Callable[[Client], object]:
    """Return a look at a page of the admin that shows a row at least."""

    def look(client: Client) -> None:
        response = client.get(f"/admin/xcover/{path}")
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}")
        context: Any = response.context
        if "cl" in context and not context["cl"].result_list:
            raise RuntimeError(f"{path} shows nothing")

    return look


def month(field: str, *, years: int = 0) -> str:
    """Return the query of a list whose rows have `field` in this month, some years from now."""
    start = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = start.replace(year=start.year + years)
    end = (start + timedelta(days=32)).replace(day=1)
    return urlencode({f"{field}__gte": start.isoformat(), f"{field}__lt": end.isoformat()})


def sweep_operations(client: Client) -> None:
    """Find the operations that are due."""
    _found(len(operations.sweep()))


def sweep_webhooks(client: Client) -> None:
    """Find the webhooks that are due."""
    _found(len(webhooks.sweep()))


def find_due_renewals(client: Client) -> None:
    """Find the cover that ends soon, and the renewals to be told."""
    if not renewal.find_due():
        raise RuntimeError("no renewal was found")


def list_own_cover(client: Client) -> None:
    """List the policies of a shopper with twenty orders."""
    references = [f"ORD-{number:07}" for number in range(1000, 1020)]
    with mock.patch("tests.shop.Adapter.get_orders", return_value=references):
        found = policies.policies(HttpRequest())
    if len(found.policies) != len(references):
        raise RuntimeError(f"{len(found.policies)} policies of {len(references)} orders")


def reconcile_page(client: Client) -> None:
    """Pass over a page of our own packages, none of which XCover's list has shown."""
    now = timezone.now()
    row = Reconciliation(account="default", phase="ours", last_pk=1000, started_at=now)
    look = mock.Mock(**{"at.return_value": []})
    report = reconciliation.Report(account="default")
    walk = run.Walk(mock.Mock(), Rehearsal(row), look, report, writes=False)
    walk._ours()
    if report.looked_at != run.SLICE:
        raise RuntimeError(f"{report.looked_at} of {run.SLICE} packages looked at")


LOOKS = (
    Look("sweeper of operations", sweep_operations),
    Look("sweeper of webhooks", sweep_webhooks),
    Look("renewals that are due", find_due_renewals),
    Look("bookings that were never paid", lambda client: overdue_payments.overdue()),
    Look("reconciliation, a page of our own", reconcile_page),
    Look("My cover, 20 orders", list_own_cover),
    Look("story of an order", page(f"quotepackage/order/{ORDER}/")),
    Look("packages", page("quotepackage/")),
    Look("packages, second page", page("quotepackage/?p=2")),
    Look("packages, search by order", page(f"quotepackage/?q={ORDER}")),
    Look("packages, search by id", page(f"quotepackage/?q={PACKAGE}")),
    Look("packages, search by e-mail", page(f"quotepackage/?q={EMAIL}")),
    Look("packages, search by policy", page(f"quotepackage/?q={POLICY}")),
    Look("packages, search in lower case", page(f"quotepackage/?q={ORDER.lower()}")),
    Look("packages, search by a name", page("quotepackage/?q=Rossi0001500")),
    Look("packages, search by part of an e-mail", page(f"quotepackage/?q={EMAIL[:6]}")),
    Look("packages, search by id without its end", page(f"quotepackage/?q={PACKAGE[:-4]}")),
    Look("packages, search by half a policy id", page(f"quotepackage/?q={POLICY[:-1]}")),
    Look(
        "packages, search by a domain",
        page("quotepackage/?q=example.com"),
        grows="it is everybody's",
    ),
    Look("packages that need a look", page("quotepackage/?attention=any")),
    Look("packages with a stopped operation", page("quotepackage/?attention=stopped")),
    Look("packages, cancelled", page("quotepackage/?status=CANCELLED")),
    Look("packages, today's", page("quotepackage/?created=today")),
    Look("policies", page("policy/")),
    Look("policies, second page", page("policy/?p=2")),
    Look("policies, search by order", page(f"policy/?q={ORDER}")),
    Look("policies, search by policy", page(f"policy/?q={POLICY}")),
    Look("policies, search by a name", page("policy/?q=Rossi0001500")),
    Look("policies, start this month", page(f"policy/?{month('policy_start_date')}")),
    Look("policies, end this month", page(f"policy/?{month('policy_end_date', years=2)}")),
    Look("policies, cancelled", page("policy/?status=CANCELLED")),
    Look("operations", page("operation/")),
    Look("operations, second page", page("operation/?p=2")),
    Look("operations, search by order", page(f"operation/?q={ORDER}")),
    Look("operations that need a person", page("operation/?state__exact=needs_person")),
    Look("operations of a small account", page("operation/?account=other")),
    Look("decisions", page("decision/")),
    Look("decisions, withdrawn", page("decision/?choice__exact=withdrawn")),
    Look("webhooks", page("webhookdelivery/")),
    Look("webhooks, search by id", page(f"webhookdelivery/?q={PACKAGE}")),
    Look("webhooks, search by a name", page("webhookdelivery/?q=Rossi0001500")),
    Look("webhooks, search by order", page(f"webhookdelivery/?q={ORDER}")),
    Look("webhooks, failed", page("webhookdelivery/?state__exact=failed")),
    Look("discrepancies, open", page("discrepancy/?state__exact=open")),
    Look("discrepancies, search by order", page(f"discrepancy/?q={ORDER}")),
    Look("cancellations without a refund", page("cancellation/?refund=missing")),
    Look("renewals due in 30 days", page("renewal/?due=30")),
    Look("instalments overdue", page("instalment/?payment=overdue")),
    Look("xcover_status", lambda client: status.status()),
)


@contextmanager
def somebody_looking() -> Iterator[Client]:
    """Yield the browser of a person who may see everything, in the smallest shop."""
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    setting = {"ADAPTER": "tests.shop.Adapter", "ACCOUNTS": _accounts()}
    with (
        override_settings(DEBUG=False, XCOVER=setting),
        mock.patch.object(Lease, "dispatch"),
    ):
        yield client


def _accounts() -> dict[str, Any]:
    from django.conf import settings

    accounts = settings.XCOVER["ACCOUNTS"]
    return {**accounts, "other": accounts["default"]}


def _found(count: int) -> None:
    if count != DUE:
        raise RuntimeError(f"the sweeper found {count} and not the {DUE} that are due")
