"""Telling partners what happened (Quotes API: webhooks)."""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import requests

from django_xcover.sandbox import store
from django_xcover.sandbox.events import EVENTS, Notice, at_another_price
from django_xcover.sandbox.http.faults import WEBHOOK, Faults
from django_xcover.sandbox.scheduler import Courier

logger = logging.getLogger("django_xcover.sandbox")
ATTEMPTS = 3  # "for up to 3 times": taken as three in all.
# Inferred: how long it waits for an answer, and between the attempts. Neither is documented.
TIMEOUT = 10.0
SPACING = 2.0
KEPT = 10_000  # The newest ones: a sandbox may run for weeks.
DEFAULT_KEY, DEFAULT_SECRET = "sandbox-webhook-key", "sandbox-webhook-secret"


@dataclass(eq=False)
class Delivery:
    """One webhook as it was sent: `body` under `headers`; `statuses` has each attempt's answer.

    A status is None when nobody answered. Without a subscriber there is no attempt.
    """

    event: str
    payload: dict[str, Any]
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    statuses: list[int | None] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Return whether it was answered with 200, or tried often enough."""
        return 200 in self.statuses or len(self.statuses) >= ATTEMPTS


Listener = Callable[[Delivery], int | None]


@dataclass(frozen=True)
class Subscription:
    """Who is told: a URL, or a function that returns a status (None is taken for 200)."""

    target: str | Listener
    key: str
    secret: str = field(repr=False)
    partner: str | None
    events: Collection[str] | None

    def wants(self, notice: Notice) -> bool:
        """Return whether this partner has asked for this event."""
        if self.partner not in {None, notice.partner}:
            return False
        return self.events is None or notice.event in self.events

    def delivery(self, notice: Notice) -> Delivery:
        """Return the notice, signed now; the signature covers the date alone."""
        body = store.to_wire({"event": notice.event, "payload": notice.payload})
        return Delivery(notice.event, notice.payload, body, self.signature())

    def signature(self) -> dict[str, str]:
        """Return headers signed now: on the wall's clock, since receivers check their own."""
        return signed_headers(self.key, self.secret, datetime.now(UTC))


NOBODY = Subscription(lambda _: 200, DEFAULT_KEY, DEFAULT_SECRET, None, None)


def signed_headers(key: str, secret: str, now: datetime) -> dict[str, str]:
    """Return the headers of a webhook sent now, SHA-256 (Quotes API: webhook authentication)."""
    date = format_datetime(now, usegmt=True)
    raw = hmac.new(secret.encode(), f"date: {date}".encode(), "sha256").digest()
    signature = quote(base64.b64encode(raw).decode(), safe="")
    return {
        "Content-Type": "application/json",
        "Date": date,
        "X-Api-Key": key,
        "Authorization": (
            f'Signature keyId="{key}",algorithm="hmac-sha256",signature="{signature}"'
        ),
    }


class Webhooks:
    """What was sent, to whom, and what goes wrong with it.

    `sent` has every delivery, oldest first, also when nobody subscribed. A URL is called from a
    thread, `spacing` seconds between the attempts: `flush()` waits for it. A function is called
    at once, by whoever made it happen, and what it raises comes out there.
    """

    def __init__(self, faults: Faults) -> None:
        self.sent: list[Delivery] = []
        self.spacing = SPACING
        self._faults = faults
        self._subscriptions: list[Subscription] = []
        self._courier = Courier()
        self._held_back: list[Notice] = []
        self._late: list[Callable[[], None]] = []

    def subscribe(
        self,
        target: str | Listener,
        *,
        key: str = DEFAULT_KEY,
        secret: str = DEFAULT_SECRET,
        partner: str | None = None,
        events: Collection[str] | None = None,
    ) -> Subscription:
        """Tell a URL or a function, of one partner and some events or of all.

        Raises ValueError for an event that XCover does not send.
        """
        unknown = sorted(set(events or ()) - set(EVENTS))
        if unknown:
            raise ValueError(f"XCover sends no {', '.join(unknown)}; it sends {', '.join(EVENTS)}.")
        subscription = Subscription(target, key, secret, partner, events)
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Tell it no more."""
        self._subscriptions.remove(subscription)

    def post(self, notices: Iterable[Notice]) -> None:
        """Send each notice, in order unless a fault of `webhook` wants it otherwise."""
        for notice in notices:
            fault = self._faults.take(WEBHOOK)
            kind = fault.kind if fault else ""
            if kind == "reorder":
                self._held_back.append(notice)
                continue
            if kind != "never":
                told = at_another_price(notice) if kind == "wrong_price" else notice
                delay = fault.seconds if fault and kind == "late" else 0
                for _ in range(2 if kind == "twice" else 1):
                    self._tell(told, delay)
            held, self._held_back = self._held_back, []
            for earlier in held:
                self._tell(earlier, 0)

    def release(self) -> None:
        """Hand over what is late or was held back, to functions, at once."""
        late, self._late = self._late, []
        for tell in late:
            tell()
        held, self._held_back = self._held_back, []
        for notice in held:
            self._tell(notice, 0)

    def flush(self, timeout: float = 5) -> bool:
        """Wait until every URL has been told; return whether that came true in time."""
        return self._courier.wait(timeout)

    def close(self) -> None:
        """Tell nobody any more."""
        self._courier.stop()

    def _tell(self, notice: Notice, delay: float) -> None:
        wanting = [someone for someone in self._subscriptions if someone.wants(notice)]
        if not wanting:
            self._keep(NOBODY.delivery(notice))
        for subscription in wanting:
            if isinstance(subscription.target, str):
                job = partial(self._post, subscription, subscription.target, notice)
                self._courier.add(job, delay=delay)
            elif delay:
                self._late.append(partial(self._call, subscription, subscription.target, notice))
            else:
                self._call(subscription, subscription.target, notice)

    def _keep(self, delivery: Delivery) -> None:
        self.sent.append(delivery)
        del self.sent[:-KEPT]

    def _call(self, subscription: Subscription, listener: Listener, notice: Notice) -> None:
        delivery = subscription.delivery(notice)
        self._keep(delivery)
        while not delivery.is_over:
            status = listener(delivery)
            delivery.statuses.append(200 if status is None else status)

    def _post(self, subscription: Subscription, url: str, notice: Notice) -> None:
        delivery = subscription.delivery(notice)
        self._keep(delivery)
        self._attempt(subscription, url, delivery)

    def _attempt(self, subscription: Subscription, url: str, delivery: Delivery) -> None:
        """Make one attempt, and plan the next when it was not answered with 200."""
        delivery.headers = subscription.signature()
        delivery.statuses.append(_status_of(url, delivery))
        if not delivery.is_over:
            again = partial(self._attempt, subscription, url, delivery)
            self._courier.add(again, delay=self.spacing)


def _status_of(url: str, delivery: Delivery) -> int | None:
    try:
        return requests.post(
            url,
            data=delivery.body,
            headers=delivery.headers,
            timeout=TIMEOUT,
            allow_redirects=False,
        ).status_code
    except requests.RequestException as wrong:
        logger.info("The webhook %s was not delivered: %s", delivery.event, type(wrong).__name__)
        return None
