"""Send webhooks to partners (Quotes API: webhooks)."""

from __future__ import annotations

import base64
import heapq
import hmac
import itertools
import logging
import threading
import time
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

logger = logging.getLogger("django_xcover.sandbox")
Job = Callable[[], object]


class Scheduler:
    """Runs jobs one at a time, none before its time. The thread starts with the first job."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._jobs: list[tuple[float, int, Job]] = []
        self._busy = False
        self._stopped = False
        self._thread: threading.Thread | None = None

    def add(self, job: Job, *, delay: float = 0) -> None:
        """Run the job after `delay` seconds. Does nothing once the scheduler has stopped."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._jobs, (time.monotonic() + delay, next(self._numbers), job))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="xcover-webhooks", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until all jobs are done. Return whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, timeout)

    def stop(self) -> None:
        """Discard the remaining jobs and end the thread."""
        with self._changed:
            self._stopped = True
            self._jobs.clear()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:
                logger.exception("A job of the sandbox's scheduler failed.")
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _next(self) -> Job | None:
        with self._changed:
            while not self._stopped:
                pause = self._jobs[0][0] - time.monotonic() if self._jobs else None
                if pause is not None and pause <= 0:
                    self._busy = True
                    return heapq.heappop(self._jobs)[2]
                self._changed.wait(pause)
            return None


ATTEMPTS = 3  # "for up to 3 times": interpreted as three in total.
# Inferred: the timeout and the wait between attempts. Neither is documented.
TIMEOUT = 10.0
SPACING = 2.0
KEPT = 10_000  # Only the newest are kept, because a sandbox may run for weeks.
DEFAULT_KEY, DEFAULT_SECRET = "sandbox-webhook-key", "sandbox-webhook-secret"


@dataclass(eq=False)
class Delivery:
    """One webhook as it was sent. `statuses` has the response status of each attempt.

    A status is None without a response. Without a subscriber there is no attempt.
    """

    event: str
    payload: dict[str, Any]
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    statuses: list[int | None] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Return whether it was answered with 200 or there are no attempts left."""
        return 200 in self.statuses or len(self.statuses) >= ATTEMPTS


Listener = Callable[[Delivery], int | None]


@dataclass(frozen=True)
class Subscription:
    """A subscriber: a URL, or a function that returns a status (None means 200)."""

    target: str | Listener
    key: str
    secret: str = field(repr=False)
    partner: str | None
    events: Collection[str] | None

    def wants(self, notice: Notice) -> bool:
        """Return whether the subscription includes this notice."""
        if self.partner not in {None, notice.partner}:
            return False
        return self.events is None or notice.event in self.events

    def delivery(self, notice: Notice) -> Delivery:
        """Return a delivery of the notice, signed now. The signature only covers the date."""
        body = store.to_wire({"event": notice.event, "payload": notice.payload})
        return Delivery(notice.event, notice.payload, body, self.signature())

    def signature(self) -> dict[str, str]:
        """Return headers signed now, by wall time, because receivers compare their own clock."""
        return signed_headers(self.key, self.secret, datetime.now(UTC))


NO_SUBSCRIBER = Subscription(lambda _: 200, DEFAULT_KEY, DEFAULT_SECRET, None, None)


def signed_headers(key: str, secret: str, now: datetime) -> dict[str, str]:
    """Return the headers of a webhook sent at `now` (Quotes API: webhook authentication)."""
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
    """Webhook subscriptions and deliveries, with planned faults.

    `sent` has every delivery, oldest first, even without a subscriber. A URL is called from a
    thread, with `spacing` seconds between attempts; `flush()` waits for it. A function is called
    immediately, in the thread that caused the event, and its exceptions propagate there.
    """

    def __init__(self, faults: Faults) -> None:
        self.sent: list[Delivery] = []
        self.spacing = SPACING
        self._faults = faults
        self._subscriptions: list[Subscription] = []
        self._scheduler = Scheduler()
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
        """Subscribe a URL or a function to all events, or to those of a partner or some events.

        Raise ValueError for an event that XCover does not send.
        """
        unknown = sorted(set(events or ()) - set(EVENTS))
        if unknown:
            raise ValueError(
                f"XCover does not send {', '.join(unknown)}. Its events: {', '.join(EVENTS)}."
            )
        subscription = Subscription(target, key, secret, partner, events)
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Remove the subscription."""
        self._subscriptions.remove(subscription)

    def post(self, notices: Iterable[Notice]) -> None:
        """Send each notice, in order unless a planned fault of `webhook` changes that."""
        for notice in notices:
            fault = self._faults.take(WEBHOOK)
            kind = fault.kind if fault else ""
            if kind == "reorder":
                self._held_back.append(notice)
                continue
            if kind != "never":
                sent = at_another_price(notice) if kind == "wrong_price" else notice
                delay = fault.seconds if fault and kind == "late" else 0
                for _ in range(2 if kind == "twice" else 1):
                    self._notify(sent, delay)
            held, self._held_back = self._held_back, []
            for earlier in held:
                self._notify(earlier, 0)

    def release(self) -> None:
        """Deliver late and held-back notices to functions immediately."""
        late, self._late = self._late, []
        for deliver in late:
            deliver()
        held, self._held_back = self._held_back, []
        for notice in held:
            self._notify(notice, 0)

    def flush(self, timeout: float = 5) -> bool:
        """Wait up to `timeout` seconds for deliveries to URLs. Return whether all are done."""
        return self._scheduler.wait(timeout)

    def close(self) -> None:
        """Stop sending."""
        self._scheduler.stop()

    def _notify(self, notice: Notice, delay: float) -> None:
        subscriptions = [each for each in self._subscriptions if each.wants(notice)]
        if not subscriptions:
            self._keep(NO_SUBSCRIBER.delivery(notice))
        for subscription in subscriptions:
            if isinstance(subscription.target, str):
                job = partial(self._post, subscription, subscription.target, notice)
                self._scheduler.add(job, delay=delay)
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
        """Make one attempt, and schedule the next unless it was answered with 200."""
        delivery.headers = subscription.signature()
        delivery.statuses.append(_status_of(url, delivery))
        if not delivery.is_over:
            again = partial(self._attempt, subscription, url, delivery)
            self._scheduler.add(again, delay=self.spacing)


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
