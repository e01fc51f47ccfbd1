"""What the shop writes to its customers, and whether it knows that they have paid."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from django_xcover.models import QuotePackage, Renewal
from django_xcover.policies.renewal import quoting
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import RenewalFactory
from example_shop.cover import ConcertShopAdapter
from example_shop.demo import data
from example_shop.models import Order
from tests.conftest import the_package, work
from tests.example_shop.conftest import Shopper


@pytest.fixture
def renewal(insured: Shopper) -> Renewal:
    """Return the priced renewal of what a guest has bought."""
    insured.pays(insured.orders())
    work()
    return RenewalFactory.create(package=the_package())


def test_an_order_that_is_gone_gets_no_letter(renewal: Renewal) -> None:
    Order.objects.all().delete()

    assert quoting.notify(renewal)
    assert mail.outbox == []


def test_a_mail_server_that_is_away_has_told_nobody(renewal: Renewal, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    assert not quoting.notify(renewal)
    renewal.refresh_from_db()
    assert renewal.notified_at is None


def test_the_letter_says_what_ends_what_it_costs_and_that_nothing_happens_by_itself(
    renewal: Renewal, settings: Any
) -> None:
    settings.SHOP_URL = "https://encore.example"

    assert quoting.notify(renewal)

    (letter,) = mail.outbox
    number = Order.objects.get().number
    assert letter.to == ["robin@example.com"]
    assert number in letter.subject
    assert f"order {number} ends on" in letter.body
    assert "You can renew it for £7.10" in letter.body
    assert "We won't renew it or charge you unless you ask us to" in letter.body
    assert "https://encore.example/orders/open/" in letter.body


def test_the_letter_leads_a_guest_to_the_cover_in_any_browser(
    renewal: Renewal, settings: Any
) -> None:
    settings.SHOP_URL = "https://encore.example"
    quoting.notify(renewal)

    link = re.search(r"https://encore\.example(\S+)", str(mail.outbox[0].body))
    assert link is not None
    page = Client().get(link[1], follow=True)

    assert "Harbour Lights Festival" in page.content.decode()


def test_the_letter_of_somebody_with_an_account_opens_nothing_without_it(
    renewal: Renewal, settings: Any
) -> None:
    settings.SHOP_URL = "https://encore.example"
    Order.objects.update(user=User.objects.get(username=data.SHOPPER.username))

    quoting.notify(renewal)

    assert "https://encore.example/xcover/mycover/" in mail.outbox[0].body
    assert "/orders/open/" not in mail.outbox[0].body


def test_the_letter_is_in_the_language_of_the_sale(renewal: Renewal) -> None:
    QuotePackage.objects.update(customer_language="de")
    renewal = Renewal.objects.get(pk=renewal.pk)
    renewal.price = Decimal("1234.50")

    quoting.notify(renewal)

    assert "Guten Tag Robin," in mail.outbox[0].body
    assert "1.234,50\xa0£" in mail.outbox[0].body


def test_an_order_is_paid_once_the_money_is_there(
    xcover_sandbox: Sandbox, shopper: Shopper
) -> None:
    order, adapter = shopper.orders(), ConcertShopAdapter()
    assert adapter.is_paid(order) is False

    shopper.pays(order)
    order.refresh_from_db()
    assert adapter.is_paid(order) is True
