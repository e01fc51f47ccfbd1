"""The page about the life of a policy does what it says, in the sentences of the code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.test import RequestFactory
from django.utils import timezone

from django_xcover import exceptions, payments
from django_xcover.models import Cancellation, Instalment, Modification, Operation, Quote, Renewal
from django_xcover.offers import after_sale, after_sale_quotes
from django_xcover.orders import events
from django_xcover.policies import (
    documents,
    instalments,
)
from django_xcover.policies import (
    renewal as renewing,
)
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.docs.exceptions import family
from tests.docs.pages import DOCS, blocks, code_in, table
from tests.shop import Shop, laptop

pytestmark = pytest.mark.django_db
PAGE = DOCS / "after-the-sale.md"
# Refusals that belong to the checkout, to the staff or to any page.
ELSEWHERE = {
    *family(exceptions.ChoiceRefused), exceptions.ActionRefused, exceptions.TotalChanged,
    exceptions.CardNumberSent, exceptions.ReferenceTooLong, exceptions.NothingDue,
    exceptions.TokenUnreadable, exceptions.EmailDiffers, exceptions.NoCoverToPay,
    exceptions.TooLateToPay, exceptions.LinkInvalid, exceptions.LinkExpired,
    exceptions.ValueNotChangeable, exceptions.DifferenceNotSettled, exceptions.NotWaiting,
    exceptions.NotErasable, exceptions.ReconciliationUnderWay,
}  # fmt: skip


@dataclass
class NumberedOrder:
    number: str = "ORD-1"


ORDER = NumberedOrder()


@pytest.fixture
def page() -> dict[str, Any]:
    """Return what the page defines."""
    names: dict[str, Any] = {"__name__": "after_the_sale"}
    for block in blocks(PAGE):
        if block.language == "python":
            exec(block.code(), names)  # noqa: S102 - the page is what is tested
    return names


def insure(shopper: Shopper, shop: Shop, *, plan: str = "") -> None:
    """Let a laptop be insured for a year, and paid."""
    item = laptop()
    shopper.cart = shopper.cart.but(items=(replace(item, fields={**item.fields, "term": 12}),))
    shopper.says(yes=True, plan=plan)
    completion.complete(shop.order(ORDER.number), shopper.cart, paid=True)
    work()


@pytest.fixture
def insured(shopper: Shopper, shop: Shop) -> None:
    """Let a laptop be insured for a year."""
    insure(shopper, shop)


@pytest.fixture
def renewal(insured: None) -> Iterator[Renewal]:
    """Return the renewal of the laptop's cover, quoted ten days before its end."""
    with time_machine.travel(timezone.now() + timedelta(days=355)):
        [found] = renewing.find_due()
        yield renewing.quote(found)


def test_every_refusal_is_documented_in_its_own_words() -> None:
    tables = PAGE.read_text().count("\n| Refusal |")
    rows = [row for n in range(1, tables + 1) for row in table(PAGE, "| Refusal |", number=n)]
    documented = {code_in(row[0])[0]: row[1] for row in rows}

    wanted = family(exceptions.ActionRefused) - ELSEWHERE
    assert documented == {cls.__name__: sentence(cls) for cls in wanted}


def sentence(refusal: type[exceptions.ActionRefused]) -> str:
    """Return the sentence with a … for each of its places."""
    return re.sub(r"%\(\w+\)s", "…", str(refusal.message))


def test_every_kind_of_document_is_documented() -> None:
    kinds = [kind for row in table(PAGE, "| Kind |") for kind in code_in(row[0])]

    assert sorted(kinds) == sorted(documents.KINDS)


class Provider:
    """A payment provider that charges and refunds. `before` happens while it charges."""

    def __init__(self) -> None:
        self.before: Callable[[], None] = lambda: None
        self.charged: dict[str, Money] = {}
        self.refunded: list[str] = []

    def charge(self, amount: Money, *, key: str) -> SimpleNamespace:
        self.before()
        self.charged[key] = amount
        return SimpleNamespace(id=key)

    def refund(self, charge: SimpleNamespace) -> None:
        self.refunded.append(charge.id)


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_added_cover_is_paid_and_booked_or_refunded(
    page: dict[str, Any], shopper: Shopper, shop: Shop, settings: Any, is_cancelled: bool
) -> None:
    settings.XCOVER = {**settings.XCOVER, "AFTER_SALE_DAYS": 7}
    shopper.says(yes=False)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    late = after_sale_quotes.look(RequestFactory().get("/"), order).late
    assert late is not None
    row = after_sale.accept("ORD-1", None, shown=late.shown, template_version="")
    due = payments.of_after_sale(row)
    assert due is not None
    provider = Provider()
    if is_cancelled:
        provider.before = lambda: events.cancelled(order)

    told = page["paid"](due.kind, due.reference, provider)
    work()

    assert provider.charged == {f"after_sale-{due.reference}": due.amount}
    assert bool(provider.refunded) == bool(told) == is_cancelled
    assert Quote.objects.booked().exists() != is_cancelled
    assert page["paid"](due.kind, due.reference, provider) == str(exceptions.NothingDue())


def test_a_preview_is_confirmed_and_its_refund_recorded(
    page: dict[str, Any], insured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    cancellation = page["preview"](ORDER)
    before = the_package().status
    page["confirm"](cancellation)
    work()
    cancellation.refresh_from_db()
    page["refunded"](cancellation, cancellation.refund, "re_1")

    assert before == "CONFIRMED"
    assert "Aero 14" in capsys.readouterr().out
    row = Cancellation.objects.get()
    assert (row.state, row.refunded, row.refund_reference) == (
        "confirmed",
        row.total_refund,
        "re_1",
    )


def test_details_are_changed_at_once(page: dict[str, Any], insured: None) -> None:
    page["new_telephone"](ORDER, "+442079460000")
    work()

    assert the_package().payload["policyholder"]["phone"] == "+442079460000"


def test_a_change_with_a_price_is_made_when_it_is_settled(
    page: dict[str, Any], insured: None
) -> None:
    modification, difference = page["new_price"](ORDER, Decimal(2400))
    page["difference_paid"](modification, "pay_2")
    work()

    assert difference.amount > 0
    assert Modification.objects.get().state == "confirmed"


def test_a_renewal_that_is_paid_is_confirmed(page: dict[str, Any], renewal: Renewal) -> None:
    page["premium_paid"](renewal, renewal.premium, "pay_3")
    work()

    assert Renewal.objects.get().state == "confirmed"


def test_a_renewal_is_declined(page: dict[str, Any], renewal: Renewal) -> None:
    page["no_thank_you"](renewal)
    work()

    assert Renewal.objects.get().state == "opted_out"


@pytest.mark.parametrize(("is_paid", "status"), [(True, "PAID"), (False, "FAILED")])
def test_an_instalment_is_collected_and_reported(
    page: dict[str, Any], shopper: Shopper, shop: Shop, is_paid: bool, status: str
) -> None:
    insure(shopper, shop, plan="1year-monthly")
    instalments.mirror(the_package())
    charged: list[Money] = []

    def charge(amount: Money) -> SimpleNamespace:
        charged.append(amount)
        return SimpleNamespace(is_made=is_paid, reference="pay_4")

    page["collect_next"](ORDER, charge)
    work()

    second = Instalment.objects.get(number=2)
    assert (charged, second.status) == ([second.amount], status)


def test_an_email_is_sent_again(page: dict[str, Any], insured: None, sandbox: Sandbox) -> None:
    page["send_confirmation_again"](ORDER)
    work()

    assert len(sandbox.calls("send_email")) == 1
    assert Operation.objects.latest("pk").state == "done"


def test_the_claim_form_has_an_address(page: dict[str, Any], insured: None) -> None:
    policy = the_package().quotes.get()

    assert page["claim_link"](policy) == f"/xcover/documents/{policy.quote_id}/claim/"
