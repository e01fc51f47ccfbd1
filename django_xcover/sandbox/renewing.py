"""Renewals: price the next period of policies and put it in force.

Mostly inferred: the page only shows the calls, the `renewal_id`, and RECEIVED quotes with a new
period. It is documented that the earlier policy becomes RENEWED (Quotes API: statuses).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import datetimes, ids, quoting, transitions
from django_xcover.sandbox.context import Inquiry, World
from django_xcover.sandbox.events import Notice, about
from django_xcover.sandbox.http.errors import Invalid, not_found
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.tariff import plans, policy_rules

MISSING = "Renewal does not exist"


def start(
    inquiry: Inquiry, package: Package, renewal_id: str, at: datetime | None = None
) -> list[Quote]:
    """Price the next period under this id and return its quotes, which are not in force yet.

    `at` is the time of the request, by default now. Raise StatusRefused for a booking that is not
    confirmed, and Invalid with a message per quote if none can be renewed at that time.
    """
    transitions.moved(package.status, "renew")
    due = _due(package, at or inquiry.world.clock.now())
    later = [_next_period(inquiry, package, quote) for quote in due]
    package.renewals[renewal_id] = {
        "created_at": inquiry.stamp(),
        "confirmed_at": None,
        "paid_on": None,
        "quotes": [
            {"of": earlier.id, "quote": asdict(new)}
            for earlier, new in zip(due, later, strict=True)
        ],
    }
    inquiry.world.store.save_renewal(renewal_id, package.id)
    return later


def _due(package: Package, now: datetime) -> list[Quote]:
    alive = [quote for quote in package.booked if quote.status == transitions.CONFIRMED]
    candidates = [quote for quote in alive if policy_rules.is_renewable(quote)] or alive
    refused = {quote.id: policy_rules.renewal_refusal(quote, now) for quote in candidates}
    due = [quote for quote in candidates if refused[quote.id] is None]
    if not due:
        raise Invalid(list(refused.values()))
    return due


def _next_period(inquiry: Inquiry, package: Package, earlier: Quote) -> Quote:
    if earlier.priced is None or earlier.priced.policy_end is None:
        raise RuntimeError(f"Quote {earlier.id} is confirmed but has no price, or no end.")
    new = replace(
        earlier,
        id=ids.new_uuid(),
        status=transitions.RECEIVED,
        fields={**earlier.fields, "policy_start_date": earlier.priced.policy_end},
        created_at=inquiry.stamp(),
        updated_at=inquiry.stamp(),
        confirmed_at=None,
        instalment_plan=None,
        instalments=[],
        settled=Decimal(0),
        renewed_times=earlier.renewed_times + 1,
    )
    quoting.price(inquiry, package, new)
    return new


def latest(package: Package) -> str | None:
    """Return the id of the newest renewal that can still be confirmed, or None."""
    open_ones = [
        renewal_id
        for renewal_id, renewal in package.renewals.items()
        if all(_is_confirmed(package, item["of"]) for item in renewal["quotes"])
    ]
    return open_ones[-1] if open_ones else None


def _is_confirmed(package: Package, quote_id: str) -> bool:
    quote = package.quote(quote_id)
    return quote is not None and quote.status == transitions.CONFIRMED


def confirm(
    inquiry: Inquiry, package: Package, renewal_id: str, changes: Iterable[dict[str, Any]]
) -> None:
    """Put the quoted period in force: the earlier quotes become RENEWED, the new ones CONFIRMED.

    Each of `changes` names a quote, old or new, and its dates or its plan. Raise ApiError 404 for
    an unknown id, and StatusRefused or Invalid if it was renewed, changed or lapsed meanwhile.
    """
    renewal = package.renewals.get(renewal_id)
    if renewal is None:
        raise not_found(MISSING)
    transitions.moved(package.status, "renew")
    if renewal["confirmed_at"] is not None:
        raise Invalid([f"Renewal {renewal_id} is already confirmed"])
    _check(package, renewal, inquiry.world.clock.now())
    pairs = [(item["of"], Quote.from_document(item["quote"])) for item in renewal["quotes"]]
    for change in changes:
        _change(inquiry, package, pairs, change)
    for earlier_id, new in pairs:
        _replace(inquiry, package, earlier_id, new)
    renewal["confirmed_at"] = package.updated_at = inquiry.stamp()


def _check(package: Package, renewal: dict[str, Any], now: datetime) -> None:
    refused = []
    for item in renewal["quotes"]:
        quote = package.quote(item["of"])
        reason = policy_rules.renewal_refusal(quote, now) if quote else MISSING
        refused += [reason] if reason else []
    if refused:
        raise Invalid(refused)


def _change(
    inquiry: Inquiry, package: Package, pairs: list[tuple[str, Quote]], change: dict[str, Any]
) -> None:
    """Apply the body of the confirmation, whose `id` is "the quote to update"."""
    named = [new for earlier_id, new in pairs if change["id"] in {earlier_id, new.id}]
    if not named:
        raise Invalid({"id": [f"Quote {change['id']} does not exist"]})
    for new in named:
        _reschedule(inquiry, package, new, change)
        new.instalment_plan = change.get("instalment_plan")
        plans.refuse(new, new.instalment_plan)


def _reschedule(inquiry: Inquiry, package: Package, new: Quote, change: dict[str, Any]) -> None:
    begins = change.get("policy_start_date")
    if begins is not None and new.priced and begins != new.priced.policy_start:
        if begins < new.priced.policy_start:
            sentence = (
                f"The renewal can not start before {datetimes.offset(new.priced.policy_start)}"
            )
            raise Invalid({"policy_start_date": [sentence]})
        new.fields["policy_start_date"] = begins
        quoting.price(inquiry, package, new)
    ends = change.get("policy_end_date")
    if ends is not None and new.priced and ends != new.priced.policy_end:
        known = new.priced.policy_end
        sentence = f"The renewal ends on {datetimes.offset(known)}" if known else "It has no end"
        raise Invalid({"policy_end_date": [sentence]})


def _replace(inquiry: Inquiry, package: Package, earlier_id: str, new: Quote) -> None:
    earlier = package.quote(earlier_id)
    if earlier is None:
        raise RuntimeError(f"Quote {earlier_id} is renewed but not in its package.")
    earlier.status, earlier.updated_at = transitions.RENEWED, inquiry.stamp()
    if inquiry.has_effect("wrong_price"):
        quoting.price(inquiry, package, new)
    new.status, new.confirmed_at, new.updated_at = (
        transitions.CONFIRMED,
        inquiry.stamp(),
        inquiry.stamp(),
    )
    new.position = max(quote.position for quote in package.quotes) + 1
    package.quotes.append(new)


def decline(inquiry: Inquiry, package: Package) -> None:
    """Record that the customer declines the next period. Repeating it is allowed, like an opt-out.

    Raise StatusRefused for a booking that is not confirmed, and Invalid if nothing is renewable.
    """
    transitions.moved(package.status, "renew")
    alive = [quote for quote in package.booked if quote.status == transitions.CONFIRMED]
    renewable = [quote for quote in alive if policy_rules.is_renewable(quote)]
    if not renewable:
        raise Invalid([f"Quote {quote.id} can not be renewed" for quote in alive])
    for quote in renewable:
        quote.renewal_declined, quote.updated_at = True, inquiry.stamp()
    package.updated_at = inquiry.stamp()


# Renewal events (Quotes API: webhooks). All inferred: the page lists the events, but not when they
# are sent.
CREATED = "RENEWAL_CREATED"
STEPS = (
    (CREATED, timedelta(days=-30)),
    ("RENEWAL_NOTIFICATION", timedelta(days=-14)),
    ("RENEWAL_DUE", timedelta()),
    ("RENEWAL_EXPIRED", policy_rules.RENEWAL_LAPSES),
)


def announce(world: World) -> list[Notice]:
    """Return the events due since the last call. After a leap in time that can be all four."""
    with world.store.transaction():
        now = world.clock.now()
        confirmed = world.store.packages(status=transitions.CONFIRMED)
        return [notice for package in confirmed for notice in _due_events(world, package, now)]


def _due_events(world: World, package: Package, now: datetime) -> list[Notice]:
    ends = [end for quote in package.booked if (end := policy_rules.next_renewal(quote))]
    if not ends:
        return []
    sent = package.renewal_events.setdefault(min(ends).isoformat(), [])
    fallen = [
        (event, min(ends) + offset)
        for event, offset in STEPS
        if event not in sent and now >= min(ends) + offset
    ]
    notices = [_notice(world, package, event, at) for event, at in fallen]
    sent += [event for event, _ in fallen]
    if fallen:
        world.store.save_package(package)
    return notices


def _notice(world: World, package: Package, event: str, at: datetime) -> Notice:
    if event == CREATED:
        _create(world, package, at)
    renewal_id = latest(package)
    return about(package, event, **({"renewal_id": renewal_id} if renewal_id else {}))


def _create(world: World, package: Package, at: datetime) -> None:
    """Price the next period under an id in the format of the recorded webhooks."""
    inquiry = Inquiry(world, package.partner, ids={}, payload={}, query={})
    try:
        start(inquiry, package, ids.new_announced_renewal_id(), at)
    except Invalid:
        return  # It cannot be priced any more, but the customer is still notified of the end.


def created(package: Package, renewal_id: str) -> list[Notice]:
    """Return the notice for a renewal that the partner requested, but only the first time."""
    ends = [end for quote in package.booked if (end := policy_rules.next_renewal(quote))]
    sent = package.renewal_events.setdefault(min(ends).isoformat(), [])
    if CREATED in sent:
        return []
    sent.append(CREATED)
    return [about(package, CREATED, renewal_id=renewal_id)]
