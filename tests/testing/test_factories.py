"""Every factory with every trait makes rows that agree with each other and that pages show."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import DateTimeField, Model
from django.test import Client
from django.urls import reverse
from factory import Trait

from django_xcover.client.schemas.packages import package_from_wire
from django_xcover.mirror.presentation import present
from django_xcover.models import (
    BOOKED,
    Cancellation,
    Choice,
    Decision,
    Flag,
    Hold,
    Instalment,
    Modification,
    Operation,
    OperationState,
    Policy,
    Quote,
    QuotePackage,
    Renewal,
    Status,
    WebhookDelivery,
)
from django_xcover.outbox.transitions import TABLES
from django_xcover.policies.documents import ACCOUNT, CERTIFICATE, WORDING, kinds_of
from django_xcover.policies.refunds import lines_of as refund_lines
from django_xcover.policies.renewal.lines import lines_of as renewal_lines
from django_xcover.testing import factories

FACTORIES = [getattr(factories, name) for name in factories.__all__]
MADE = [
    pytest.param(factory, trait, id=f"{factory.__name__}-{trait or 'plain'}")
    for factory in FACTORIES
    for trait in ["", *(n for n, p in factory._meta.parameters.items() if isinstance(p, Trait))]
]
OVER = (Status.CANCELLED, Status.FAILED, Status.DELETED, Status.EXPIRED, Status.RENEWED)
ORDERED_IN_TIME = (
    ("quoted_at", "booked_at"),
    ("policy_start_date", "policy_end_date"),
    (
        "period_start_date",
        "period_end_date",
    ),
    ("starts_at", "ends_at"),
    ("started_at", "finished_at"),
)

pytestmark = pytest.mark.django_db


def make(factory: Any, trait: str) -> Model:
    row: Model = factory.create(**{trait: True} if trait else {})
    return row


def rows_of_all_models() -> Iterator[Model]:
    for model in apps.get_app_config("xcover").get_models():
        yield from model._default_manager.all()


def reachable(table: Any, first: Iterable[str]) -> set[str]:
    """Return every status that the table lets a row get into."""
    found = set(first)
    while more := {after for before in found for after in table[before]} - found:
        found |= more
    return found


def test_every_model_has_a_factory() -> None:
    made = {factory._meta.model for factory in FACTORIES}

    assert made == set(apps.get_app_config("xcover").get_models())


def every_state_can_be_reached_by_the_transition_table() -> None:
    for row in rows_of_all_models():
        if type(row) in TABLES:
            field = "status" if hasattr(row, "status") else "state"
            table = TABLES[type(row)]
            beginnings = set(table) - {after for nexts in table.values() for after in nexts}
            beginnings |= {next(iter(table))}
            assert getattr(row, field) in reachable(table, beginnings)


def every_row_is_valid_and_its_times_are_in_order() -> None:
    for row in rows_of_all_models():
        empty = [f.name for f in row._meta.fields if not getattr(row, f.name)]
        row.clean_fields(exclude=empty)
        times = {f.name: getattr(row, f.name) for f in row._meta.fields if is_time(f)}
        assert all(moment is None or moment.utcoffset() is not None for moment in times.values())
        for earlier, later in ORDERED_IN_TIME:
            if times.get(earlier) and times.get(later):
                assert times[earlier] <= times[later], (row, earlier, later)


def is_time(field: Any) -> bool:
    return isinstance(field, DateTimeField)


def money_adds_up() -> None:
    for package in QuotePackage.objects.all():
        quotes = list(package.quotes.all())
        in_force = [quote.price for quote in quotes if quote.status not in OVER]
        assert package.total_price == sum(in_force, Decimal(0))
        assert all(q.chosen_price == (q.price if q.choice else None) for q in quotes)
    for decision in Decision.objects.select_related("quote__package"):
        assert decision.price == decision.quote.price
        assert decision.currency == decision.quote.package.currency
    for hold in Hold.objects.exclude(package=None):
        assert hold.package is not None
        assert hold.amount == sum(q.price for q in hold.package.quotes.accepted())
        assert hold.currency == hold.package.currency
    for cancellation in Cancellation.objects.exclude(total_refund=None):
        policies = cancellation.quotes.all()
        assert cancellation.total_refund == sum(policy.price for policy in policies)
    for change in Modification.objects.select_related("package"):
        assert change.price_after - change.price_before == change.price_diff
        made = change.state == Modification.State.CONFIRMED
        assert change.package.total_price == (change.price_after if made else change.price_before)
    for part in Instalment.objects.select_related("quote"):
        assert part.quote.price <= part.total_amount * 12 < part.quote.price + Decimal("0.12")


def what_belongs_together_says_the_same() -> None:
    for package in QuotePackage.objects.all():
        assert (package.booked_at is not None) == (package.status in BOOKED)
        assert bool(package.order_reference) or package.status not in BOOKED
        assert package.attention in {"", *package.flags.open().values_list("reason", flat=True)}
        assert package.is_held == package.holds.live().exists()
    for quote in Quote.objects.select_related("package"):
        line = quote.package.quotes.filter(line_reference=quote.line_reference)
        follows = line.filter(position__lt=quote.position, status=Status.RENEWED).exists()
        is_followed = line.filter(position__gt=quote.position, status=Status.CONFIRMED).exists()
        statuses = {quote.package.status, Status.CANCELLED}
        assert quote.status in statuses or (quote.status == Status.RENEWED and is_followed)
        answered = quote.choice in {Choice.ACCEPTED, Choice.DECLINED}
        assert not answered or follows or quote.decisions.filter(choice=quote.choice).exists()
    for flag in Flag.objects.all():
        assert flag.is_open == (not flag.resolved_by)
    for operation in Operation.objects.all():
        done = operation.state == OperationState.DONE
        assert (operation.finished_at is not None) == (
            operation.state in {OperationState.DONE, OperationState.DISCARDED}
        )
        assert not done or operation.package.status in BOOKED
        assert not done or operation.request == {}
        assert operation.finished_at is None or operation.finished_at >= operation.created_at
    for delivery in WebhookDelivery.objects.exclude(state=WebhookDelivery.State.UNKNOWN):
        assert QuotePackage.objects.filter(package_id=delivery.package_id).exists()


def ids_have_the_form_that_xcover_gives_them() -> None:
    package_form = r"[A-Z346789]{5}-[A-Z346789]{5}-INS|instant-[-0-9a-f]{36}"
    mixed = r"(?:[A-Za-z0-9]{5}-){3}"
    for package in QuotePackage.objects.all():
        assert re.fullmatch(package_form, package.package_id)
    for quote in Quote.objects.all():
        assert str(uuid.UUID(quote.quote_id)) == quote.quote_id
    for cancellation in Cancellation.objects.exclude(cancellation_id=""):
        assert re.fullmatch(f"{mixed}CCL", cancellation.cancellation_id)
    for change in Modification.objects.all():
        assert re.fullmatch(f"{mixed}UPD", change.update_id)
    for renewal in Renewal.objects.exclude(renewal_id=""):
        assert re.fullmatch(f"{mixed}UPD", renewal.renewal_id)


def xcovers_answers_read_back_as_the_rows_say() -> None:
    for package in QuotePackage.objects.all():
        quotes = [quote.payload for quote in package.quotes.all()]
        answer = package_from_wire({**package.payload, "quotes": quotes})
        assert (answer.package_id, answer.status) == (package.package_id, package.status)
        assert (answer.total, answer.currency) == (package.total_price, package.currency)
        read = {(quote.quote_id, quote.status, quote.price) for quote in answer.quotes}
        assert read == set(package.quotes.values_list("quote_id", "status", "price"))
    for quote in Quote.objects.select_related("package"):
        shown = present(quote)
        assert shown.benefits
        assert shown.insurer
        assert shown.pds_url
    for policy in Policy.objects.filter(status=Status.CONFIRMED).select_related("package"):
        assert set(kinds_of(policy, policy.package)) >= {WORDING, CERTIFICATE, ACCOUNT}
    for cancellation in Cancellation.objects.exclude(total_refund=None):
        refunds = [line.refund.amount for line in refund_lines(cancellation) if line.refund]
        assert sum(refunds) == cancellation.total_refund
    for renewal in Renewal.objects.exclude(price=None):
        shares = [line.price.amount for line in renewal_lines(renewal) if line.price]
        assert sum(shares) == renewal.price


CHECKS = [
    every_state_can_be_reached_by_the_transition_table,
    every_row_is_valid_and_its_times_are_in_order,
    money_adds_up,
    what_belongs_together_says_the_same,
    ids_have_the_form_that_xcover_gives_them,
    xcovers_answers_read_back_as_the_rows_say,
]


@pytest.mark.parametrize(("factory", "trait"), MADE)
def test_rows_agree_with_each_other(factory: Any, trait: str) -> None:
    make(factory, trait)

    for check in CHECKS:
        check()


@pytest.mark.parametrize(("factory", "trait"), MADE)
def test_the_admin_shows_it(factory: Any, trait: str, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    row = make(factory, trait)

    for shown in {row, getattr(row, "package", row)} - {None}:
        if type(shown) in admin.site._registry:
            page = reverse(f"admin:xcover_{shown._meta.model_name}_change", args=[shown.pk])
            assert client.get(page).status_code == 200
