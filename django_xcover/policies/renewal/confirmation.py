"""Confirm a paid renewal at XCover, and store the new period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from django_xcover import signals
from django_xcover.client import XCoverClient
from django_xcover.client.schemas import requests
from django_xcover.client.schemas.packages import PackageAnswer, QuoteAnswer, package_from_wire
from django_xcover.client.schemas.policies import renewal_from_wire
from django_xcover.clients import factory
from django_xcover.exceptions import NotRenewable
from django_xcover.formats import format_amount
from django_xcover.mirror import packages, renewal_links
from django_xcover.mirror.packages import LONGEST_TYPE
from django_xcover.models import Attention, Operation, Quote, QuotePackage, Renewal, Status
from django_xcover.outbox import operations
from django_xcover.outbox.failures import CannotPerform, OutcomeUnknown, after_post
from django_xcover.outbox.transitions import transition
from django_xcover.policies.renewal import quoting


def body(renewal: Renewal) -> dict[str, Any]:
    """Return the body that confirms a quoted renewal: its id, and each quote with its period.

    Inferred: the end date is sent beside the start date, both in `quotes`. The table in the
    contract ends after `id` and `policy_start_date`.
    """
    quoted = quoting.to_renew(renewal_from_wire(renewal.payload))
    return {"renewal_id": renewal.renewal_id, "quotes": requests.periods(quoted)}


def legacy_id(renewal: Renewal) -> str:
    """Return the id for the older confirmation: the quoted one, else the announced one.

    The announced id comes from the body of a webhook, which isn't signed.
    """
    return renewal.renewal_id or renewal.announced_id


def legacy_body(renewal: Renewal, paid_at: datetime) -> dict[str, Any]:
    """Return the body of the older confirmation; the space in the time is as recorded."""
    paid_on = f"{paid_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    return {"renewal_id": legacy_id(renewal), "paid_on": paid_on}


def perform(operation: Operation) -> PackageAnswer:
    """Confirm at XCover, outside any transaction, and return the booking with the new period.

    The booking is read first, because XCover renews automatically for some partners, and because
    the outcome of an earlier attempt may be unknown. Raises XCoverError, CannotPerform if the price
    of the renewal has changed, and OutcomeUnknown if the booking doesn't show the new period yet
    (the older confirmation is answered with 202 before it is carried out).
    """
    renewal = Renewal.objects.select_related("package").get(pk=int(operation.subject))
    client = factory.client_for(operation.package.account)
    answer = _read(client, renewal)
    if is_renewed(renewal, answer.quotes):
        return answer
    request = operation.request or _make_anew(operation, renewal)
    _confirm(client, operation, request)
    with after_post():
        answer = _read(client, renewal)
    if not is_renewed(renewal, answer.quotes):
        raise OutcomeUnknown("XCover took the confirmation but does not show the next period yet.")
    return answer


def apply(operation: Operation, answer: PackageAnswer) -> None:
    """Store the booking and settle the renewal.

    Call it in the transaction that finishes the operation.
    """
    renewal = Renewal.objects.select_related("package").get(pk=int(operation.subject))
    package = QuotePackage.objects.locked().get(pk=renewal.package_id)
    packages.apply_answer(package, answer)
    settle(renewal, package)


def settle(renewal: Renewal, package: QuotePackage) -> None:
    """Mark the renewal as confirmed once `package` shows the next period, and notify the shop once.

    Call it in a transaction.
    """
    # The policies of the next period were quoted for it, or are new.
    new = Q(quote_id__in=_quoted(renewal)) | Q(created_at__gte=renewal.created_at)
    policies = list(package.quotes.filter(new, status=Status.CONFIRMED).order_by("position"))
    prices = _paid_prices(renewal, policies)
    renewal_links.link_successors(package, prices)
    if not transition(renewal, Renewal.State.CONFIRMED, field="state", confirmed_at=timezone.now()):
        return
    booked = {policy.quote_id: policy.price for policy in policies}
    differs = prices != booked or renewal.price != sum(booked.values())
    if renewal.price is not None and differs:
        packages.flag(package, Attention.PRICE_DIFFERS)
    transaction.on_commit(
        partial(
            signals.policy_renewed.send_robust, sender=Renewal, renewal=renewal, package=package
        )
    )


def is_renewed(renewal: Renewal, policies: Iterable[QuoteAnswer | Quote]) -> bool:
    """Return whether the policies of a booking show the next period.

    True if every quoted policy is in force beyond the old period, or every policy of the old
    period is RENEWED. The contract doesn't say whether quoted ids survive the confirmation.
    """
    by_id = {policy.quote_id: policy for policy in policies}
    quoted = [by_id.get(quote_id) for quote_id in _quoted(renewal)]
    earlier = [by_id.get(quote_id) for quote_id in _earlier_ids(renewal)]
    goes_on = bool(quoted) and all(policy and _goes_on(renewal, policy) for policy in quoted)
    return goes_on or (
        bool(earlier) and all(policy and policy.status == Status.RENEWED for policy in earlier)
    )


def _goes_on(renewal: Renewal, policy: QuoteAnswer | Quote) -> bool:
    ends = policy.policy_end_date
    return policy.status == Status.CONFIRMED and (ends is None or ends > renewal.due_on)


def _read(client: XCoverClient, renewal: Renewal) -> PackageAnswer:
    return package_from_wire(client.get_booking(renewal.package.package_id))


def _confirm(client: XCoverClient, operation: Operation, request: Mapping[str, Any]) -> None:
    key, confirmed = operation.idempotency_key, requests.read_renewal_confirmation(request)
    renewal_id, sent = confirmed.renewal_id, confirmed.body
    if confirmed.is_legacy:
        client.legacy_renewal_confirmation(renewal_id, sent, idempotency_key=key)
    else:
        client.renewal_confirmation(
            operation.package.package_id, renewal_id, sent, idempotency_key=key
        )


def _make_anew(operation: Operation, renewal: Renewal) -> dict[str, Any]:
    """Return a new body for a retry by a person, because XCover refused the previous one.

    A renewal that was never quoted here (the older flow) isn't quoted now.
    """
    if renewal.premium is None:
        request = legacy_body(renewal, renewal.paid_at or timezone.now())
    else:
        _quote_again(renewal)
        request = body(renewal)
    operations.keep_request(operation, request)
    return request


def _quote_again(renewal: Renewal) -> None:
    try:
        columns = quoting.terms(renewal, quoting.ask(renewal.package))
    except NotRenewable as refused:
        raise CannotPerform(str(refused)) from refused
    fresh = Renewal(price=columns["price"], currency=columns["currency"]).premium
    if fresh is not None and renewal.premium is not None and fresh != renewal.premium:
        raise CannotPerform(
            f"XCover now charges {format_amount(fresh)} for the next period, but "
            f"{format_amount(renewal.premium)} was paid. Settle the difference with the customer, "
            "or refund the money and give up the renewal."
        )
    Renewal.objects.filter(pk=renewal.pk).update(**columns)
    for name, value in columns.items():
        setattr(renewal, name, value)


def _quoted(renewal: Renewal) -> dict[str, QuoteAnswer]:
    """Return the quotes of the next period by id, {} if its price was never quoted here."""
    if renewal.price is None:
        return {}
    answer = renewal_from_wire(renewal.payload)
    return {read.quote_id: read for read in quoting.to_renew(answer)}


def _paid_prices(renewal: Renewal, policies: Iterable[Quote]) -> dict[str, Decimal]:
    """Return the quoted price of each of `policies`, by policy id.

    The contract doesn't say whether a policy keeps its quote's id. If it doesn't, policies are
    matched by type and order.
    """
    quoted = _quoted(renewal)
    named = [policy.quote_id for policy in policies if policy.quote_id in quoted]
    prices = {quote_id: quoted.pop(quote_id).price for quote_id in named}
    for policy in policies:
        same = (q for q in quoted.values() if q.policy_type[:LONGEST_TYPE] == policy.policy_type)
        read = next(same, None)
        if policy.quote_id not in prices and read is not None:
            prices[policy.quote_id] = quoted.pop(read.quote_id).price
    return prices


def _earlier_ids(renewal: Renewal) -> list[str]:
    policies = renewal.package.quotes.booked().filter(policy_end_date=renewal.due_on)
    ids = list(policies.values_list("quote_id", flat=True))
    renewable = renewal.package.quotes.booked().filter(is_renewable=True)
    return ids or list(renewable.values_list("quote_id", flat=True))
