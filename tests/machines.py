"""What the stateful tests share: a shop and XCover in this process, and everybody but the shopper.

Workers, the sweeper, staff, reconciliation and webhooks act in each of them, in any order.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest import mock

import requests
from django.conf import settings as django_settings
from django.db import transaction
from django.test import RequestFactory, override_settings
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from django_xcover import worker
from django_xcover.client import XCoverClient, XCoverError
from django_xcover.clients import factory
from django_xcover.exceptions import ActionRefused, ChoiceRefused
from django_xcover.mirror import flags, refresh
from django_xcover.models import (
    Cancellation,
    Flag,
    Operation,
    QuotePackage,
    Renewal,
    WebhookDelivery,
)
from django_xcover.outbox import operations
from django_xcover.policies import cancellation, renewal
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from django_xcover.sync import reconciliation, webhooks
from django_xcover.sync.webhooks import inbox
from django_xcover.testing.webhooks import sign_delivery
from tests.shop import SHOP

FAULTS = ("process_then_reset", "reset", "garbage")
EVENTS = (
    "BOOKING_CREATED", "BOOKING_UPDATED", "BOOKING_CANCELLED", "SOMETHING_NEW", *renewal.EVENTS
)  # fmt: skip
BASE_URL = "http://127.0.0.1:9/x"
KEY, SECRET = "hook-key", "the secret of the hook"


def _xcover() -> dict[str, Any]:
    """Return the settings of the smallest shop, which takes webhooks."""
    account = django_settings.XCOVER["ACCOUNTS"]["default"]
    told = {**account, "WEBHOOK_SECRETS": {KEY: SECRET}}
    adapter = "tests.shop.Adapter"
    return {**django_settings.XCOVER, "ADAPTER": adapter, "ACCOUNTS": {"default": told}}


class Shopfloor(RuleBasedStateMachine):
    """A shop whose XCover answers in this process; undone at the end.

    `cancelled` once anybody has asked for a cancellation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = False
        self._savepoint = transaction.atomic()
        self._savepoint.__enter__()
        self._setting = override_settings(XCOVER=_xcover())
        self._setting.enable()
        self.sandbox, self.session = Sandbox(), requests.Session()
        mount(self.session, BASE_URL, self.sandbox)
        client = XCoverClient(
            base_url=BASE_URL,
            partner_code="SHOP1",
            api_key="sandbox-key",
            api_secret="sandbox-secret",
            backoff=0,
            max_attempts=1,
            session=self.session,
        )
        self._gateway = mock.patch.object(factory, "client_for", return_value=client)
        self._gateway.start()

    def teardown(self) -> None:
        """Let the storm end and the queue drain, look once more, and undo everything."""
        try:
            self._ends_well()
        finally:
            self._undo()

    def _ends_well(self) -> None:
        """Let everybody do their part, and see that it came to what it should."""
        raise NotImplementedError

    def _undo(self) -> None:
        self._gateway.stop()
        self._setting.disable()
        self.session.close()
        self.sandbox.close()
        SHOP.orders.clear()
        transaction.set_rollback(True)
        self._savepoint.__exit__(None, None, None)

    # Workers and the sweeper

    @rule(later=st.booleans())
    def work(self, later: bool) -> None:
        if later:
            past = timezone.now() - timedelta(seconds=1)
            Operation.objects.update(next_attempt_at=past, lease_until=past)
        for pk in Operation.objects.order_by("pk").values_list("pk", flat=True):
            worker.run(pk)

    @rule()
    def a_worker_dies_with_a_claim(self) -> None:
        for pk in Operation.objects.order_by("pk").values_list("pk", flat=True):
            operations.claim(pk)

    # Staff, and what runs every hour

    @rule()
    def staff_retry(self) -> None:
        for operation in Operation.objects.all():
            operations.retry(operation)

    @rule()
    def staff_refresh(self) -> None:
        for package in QuotePackage.objects.all():
            self._forgiving(lambda package=package: refresh.refresh(package))  # type: ignore[misc]

    @rule()
    def staff_cancel(self) -> None:
        for package in QuotePackage.objects.booked():
            self.cancelled = True
            self._forgiving(
                lambda package=package: cancellation.cancel_now(  # type: ignore[misc]
                    package, origin=Cancellation.Origin.STAFF
                )
            )

    @rule(note=st.sampled_from(["refunded by hand", "called the customer"]))
    def staff_resolve(self, note: str) -> None:
        for flag in Flag.objects.open():
            flags.resolve(flag, by="1", note=note)

    @rule()
    def staff_replay_the_webhooks(self) -> None:
        for delivery in WebhookDelivery.objects.all():
            webhooks.replay(delivery)

    @rule(fix=st.booleans())
    def reconcile(self, fix: bool) -> None:
        reconciliation.reconcile("default", fix=fix)

    @rule()
    def sweep(self) -> None:
        """Find what is due and what a dead worker had, and let a worker do it."""
        past = timezone.now() - timedelta(seconds=1)
        Operation.objects.update(next_attempt_at=past, lease_until=past)
        WebhookDelivery.objects.update(next_attempt_at=past)
        for pk in operations.sweep():
            worker.run(pk)
        for pk in webhooks.sweep():
            webhooks.process(pk)

    # Webhooks: about what there is and what there is not, in any order, twice, late

    @rule(event=st.sampled_from(EVENTS), times=st.integers(1, 2), data=st.data())
    def a_webhook_comes(self, event: str, times: int, data: st.DataObject) -> None:
        ids = [*QuotePackage.objects.values_list("package_id", flat=True), "AAAAA-AAAAA-INS"]
        facts = {"id": data.draw(st.sampled_from(ids)), "status": "CANCELLED"}
        if event in renewal.EVENTS:
            known = Renewal.objects.values_list("renewal_id", flat=True)
            facts["renewal_id"] = data.draw(st.sampled_from([*known, "aB3dE-fGh4J-REN"]))
        body = json.dumps({"event": event, "payload": facts})
        for _ in range(times):
            headers = sign_delivery(body, key_id=KEY, secret=SECRET)
            request = RequestFactory().post(
                "/xcover/webhooks/", body, content_type="application/json", headers=headers
            )
            webhooks.receive(request, "default")

    @rule(data=st.data())
    def webhooks_are_looked_into(self, data: st.DataObject) -> None:
        pks = list(WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True))
        for pk in data.draw(st.permutations(pks)):
            webhooks.process(pk)

    @rule()
    def a_worker_dies_with_a_webhook(self) -> None:
        for pk in WebhookDelivery.objects.values_list("pk", flat=True):
            inbox.claim(pk)

    def _forgiving(self, act: Callable[[], object]) -> None:
        """Do what may be refused: a refusal is a fine answer."""
        with suppress(ChoiceRefused, ActionRefused, XCoverError):
            act()
