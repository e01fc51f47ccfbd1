"""The admin as members of staff with different permissions see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.admin.booking import booked
from tests.admin.factories import make_staff

__all__ = ["booked"]

ACCOUNT = {
    "BASE_URL": "http://127.0.0.1:9/x",
    "PARTNER_CODE": "SHOP1",
    "API_KEY": "key-of-the-tests",
    "API_SECRET": "secret-of-the-tests",
}
VIEWS = (
    "view_withdrawal",
    "view_orderevent",
    "view_personal_data",
    "view_quotepackage",
    "view_policy",
    "view_decision",
    "view_operation",
    "view_cancellation",
    "view_modification",
    "view_renewal",
    "view_instalment",
    "view_discrepancy",
    "view_hold",
    "view_offerday",
    "view_accountpause",
)
ACTS = (
    "cancel_policy",
    "give_up_operation",
    "give_up_orderevent",
    "modify_policy",
    "record_refund",
    "renew_policy",
    "report_instalment",
    "resolve_attention",
    "resolve_discrepancy",
    "send_email",
)


@pytest.fixture(autouse=True)
def _the_admin_alone(db: Any) -> Iterator[None]:
    setting = {"ADAPTER": "tests.admin.shop.BoxOfficeAdapter", "ACCOUNTS": {"default": ACCOUNT}}
    with override_settings(XCOVER=setting):
        yield


@pytest.fixture
def viewer(client: Client) -> Client:
    """Return the browser of somebody who may look at everything and do nothing."""
    client.force_login(make_staff(*VIEWS))
    return client


@pytest.fixture
def agent() -> Client:
    """Return the browser of a support agent: looks, retries and refreshes."""
    client = Client()
    rights = (*VIEWS, "retry_operation", "refresh_quotepackage")
    client.force_login(make_staff(*rights, name="agent"))
    return client


@pytest.fixture
def clerk() -> Client:
    """Return the browser of somebody who looks after customers: sees all and does all of it."""
    client = Client()
    client.force_login(make_staff(*VIEWS, *ACTS, name="clerk"))
    return client


@pytest.fixture
def root() -> Client:
    """Return the browser of a superuser, who may do all that Django lets anybody do."""
    client = Client()
    user = make_staff(name="root")
    user.is_superuser = True
    user.save()
    client.force_login(user)
    return client
