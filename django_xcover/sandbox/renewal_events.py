"""Send renewal events at their time: created, notification, due, expired (Quotes API: webhooks).

All inferred: the page lists the events, but not when they are sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django_xcover.sandbox import ids, renewing, transitions
from django_xcover.sandbox.context import Inquiry, World
from django_xcover.sandbox.events import Notice, about
from django_xcover.sandbox.http.errors import Invalid
from django_xcover.sandbox.packages import Package
from django_xcover.sandbox.tariff import policy_rules

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
        return [notice for package in confirmed for notice in _due(world, package, now)]


def _due(world: World, package: Package, now: datetime) -> list[Notice]:
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
    renewal_id = renewing.latest(package)
    return about(package, event, **({"renewal_id": renewal_id} if renewal_id else {}))


def _create(world: World, package: Package, at: datetime) -> None:
    """Price the next period under an id in the format of the recorded webhooks."""
    inquiry = Inquiry(world, package.partner, ids={}, payload={}, query={})
    try:
        renewing.start(inquiry, package, ids.new_announced_renewal_id(), at)
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
