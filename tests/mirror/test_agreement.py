"""A yes holds for what was agreed to, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest
from django.utils import translation

from django_xcover.client import XCoverClient
from django_xcover.cover import Cover, current_cover, freeze_cover
from django_xcover.mirror import agreement, presentation, refresh
from django_xcover.models import Attention, Choice, Decision, Flag, Operation, Quote, QuotePackage
from django_xcover.offers import choices, quoting
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_completed, payment_completed
from tests.conftest import ReadCart, Shopper, the_package, work
from tests.shop import Cart, Order, Shop, laptop, ticket

pytestmark = pytest.mark.django_db
RequestFor = Callable[[Cart | None], HttpRequest]
Change = Callable[[dict[str, Any]], None]
PLAN = {
    "name": "1year-monthly",
    "label": "1Year-Monthly",
    "amount": Decimal("7.89"),
    "first_instalment_amount": Decimal("0.66"),
}


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what changes the first quote of each answer to one call, and the answer itself."""

    def bend(
        call: str, quote: Change = lambda quote: None, package: Change = lambda p: None
    ) -> None:
        honest = getattr(XCoverClient, call)

        def bent(*args: Any, **options: Any) -> Any:
            answer = honest(*args, **options)
            quotes = answer["quotes"]
            quote(quotes["0"] if isinstance(quotes, dict) else quotes[0])
            package(answer)
            return answer

        monkeypatch.setattr(XCoverClient, call, bent)

    return bend


def frozen(request_for: RequestFor, cart: Cart) -> Cover:
    """Return what an order would charge that is then not made."""
    with transaction.atomic():
        cover = freeze_cover(request_for(cart))
        transaction.set_rollback(True)
    return cover


def reworded(quote: dict[str, Any]) -> None:
    quote["policy"]["content"]["disclaimer"] = quote["policy"]["content"]["disclaimer_html"] = (
        "<p>Nothing is covered.</p>"
    )


def shortened(quote: dict[str, Any]) -> None:
    quote["policy_end_date"] = quote["policy_start_date"]


def renamed(quote: dict[str, Any]) -> None:
    quote["policy"]["policy_name"] = "Parcel Cover"


def insured_by_another(quote: dict[str, Any]) -> None:
    quote["policy"]["underwriter"]["name"] = "Nowhere Mutual"


def without_benefits(quote: dict[str, Any]) -> None:
    quote["benefits"] = []


CHANGES = {
    "price": lambda quote: quote.update(price=Decimal("9.99")),
    "cover_amount": lambda quote: quote.update(cover_amount=1, cover_amount_formatted="£1.00"),
    "period": shortened,
    "benefits": without_benefits,
    "insurer": insured_by_another,
    "name": renamed,
    "wording": reworded,
    "documents": lambda quote: quote.update(pds_url="https://xcover.com/en/pds/another"),
}


@pytest.mark.parametrize("term", CHANGES)
def test_a_yes_lapses_with_whatever_was_agreed_on_and_says_so_until_it_is_answered(
    shopper: Shopper, request_for: RequestFor, change: Callable[..., None], term: str
) -> None:
    shopper.says(yes=True)
    change("get_quote", CHANGES[term])

    refresh.refresh(the_package())
    cover = frozen(request_for, shopper.cart)

    assert (cover.premium, cover.lapsed) == (None, True)
    assert Decision.objects.latest("pk").choice == Choice.LAPSED
    lapse = shopper.sees().quotes[0].lapse
    assert lapse is not None
    assert term in lapse.changed
    assert "hoose again" in lapse.message
    assert shopper.says(yes=True).quotes[0].lapse is None
    assert not frozen(request_for, shopper.cart).lapsed


@pytest.mark.parametrize("term", CHANGES)
def test_what_changes_after_it_was_charged_is_flagged_and_still_charged(
    shopper: Shopper, shop: Shop, change: Callable[..., None], term: str
) -> None:
    shopper.says(yes=True)
    order_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    change("get_quote", CHANGES[term])

    refresh.refresh(the_package())

    wanted = Attention.PRICE_DIFFERS if term == "price" else Attention.TERMS_DIFFER
    assert [flag.reason for flag in Flag.objects.all()] == [wanted]
    assert Quote.objects.accepted().exists()


@pytest.mark.parametrize("term", sorted(set(CHANGES) - {"price"}))
def test_what_is_booked_otherwise_than_agreed_is_flagged(
    shopper: Shopper, shop: Shop, change: Callable[..., None], term: str
) -> None:
    shopper.says(yes=True)
    payment_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    change("create_booking", CHANGES[term])
    work()

    assert [flag.reason for flag in Flag.objects.all()] == [Attention.TERMS_DIFFER]


def written_otherwise(quote: dict[str, Any]) -> None:
    quote["price_formatted"] = "GBP 5"
    quote["cover_amount"] = Decimal(f"{quote['cover_amount']}000")
    quote["benefits"] = list(reversed(quote["benefits"]))
    quote["pds_url"] = quote["pds_url"].replace("/en/", "/de/") + "&Expires=17&Signature=abc"
    quote["updated_at"] = "2031-01-01T00:00:00Z"
    quote["policy"] = dict(reversed(quote["policy"].items()))


def test_what_is_only_written_otherwise_changes_nothing(
    shopper: Shopper, shop: Shop, request_for: RequestFor, change: Callable[..., None]
) -> None:
    shopper.says(yes=True)
    change("get_quote", written_otherwise)
    change("create_booking", written_otherwise)

    refresh.refresh(the_package())
    assert frozen(request_for, shopper.cart).premium is not None
    payment_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    work()

    assert the_package().status == "CONFIRMED"
    assert not Flag.objects.exists()


def test_an_honest_sale_flags_nothing_however_often_it_is_read(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    refresh.refresh(the_package())
    order_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    refresh.refresh(the_package())
    payment_completed.send(sender=Order, order=shop.order())
    work()
    refresh.refresh(the_package())

    assert the_package().status == "CONFIRMED"
    assert not Flag.objects.exists()


# Plans


@pytest.mark.parametrize("plans", [[], [{**PLAN, "first_instalment_amount": Decimal("6.60")}]])
def test_a_yes_in_parts_lapses_when_its_plan_moves_or_goes(
    shopper: Shopper,
    read: ReadCart,
    request_for: RequestFor,
    change: Callable[..., None],
    plans: list[dict[str, Any]],
) -> None:
    change("create_quote", lambda quote: quote.update(instalment_plans=[PLAN]))
    quote = shopper.sees().quotes[0]
    choices.choose(
        read(shopper.cart),
        quote_id=quote.quote_id,
        accepted=True,
        template_version="1",
        plan="1year-monthly",
    )
    change("get_quote", lambda quote: quote.update(instalment_plans=plans))
    refresh.refresh(the_package())

    cover = frozen(request_for, shopper.cart)

    assert (cover.premium, cover.lapsed) == (None, True)


def test_the_mark_of_an_offer_with_plans_is_the_same_in_every_language(
    shopper: Shopper, change: Callable[..., None]
) -> None:
    change("create_quote", lambda quote: quote.update(instalment_plans=[PLAN]))
    shopper.sees()
    marks = set()
    for language in ("en", "de"):
        with translation.override(language):
            marks.add(presentation.offer_hash(presentation.present(Quote.objects.get())))

    assert len(marks) == 1


# Statuses


@pytest.mark.parametrize(
    ("status", "whole"),
    [
        *((status, False) for status in ("EXPIRED", "CANCELLED", "FAILED", "ON_HOLD")),
        *((status, True) for status in ("EXPIRED", "FAILED", "ON_HOLD")),
    ],
)
def test_what_is_no_longer_an_offer_is_neither_charged_nor_shown(
    shopper: Shopper,
    request_for: RequestFor,
    change: Callable[..., None],
    status: str,
    whole: bool,
) -> None:
    shopper.says(yes=True)
    if whole:
        change("get_quote", package=lambda answer: answer.update(status=status))
    else:
        change("get_quote", lambda quote: quote.update(status=status))
    first = the_package().package_id
    refresh.refresh(the_package())

    cover = frozen(request_for, shopper.cart)

    assert (cover.premium, cover.lapsed) == (None, True)
    assert not Quote.objects.accepted().exists()
    offer = shopper.sees()
    assert offer.package_id != first
    assert offer.quotes[0].lapse is not None


def test_a_quote_that_failed_inside_a_package_is_not_sold(
    sandbox: Sandbox, read: ReadCart, change: Callable[..., None]
) -> None:
    change("create_quote", lambda quote: quote.update(status="FAILED"))

    offer = quoting.fresh_offer(read(Cart(items=(ticket(), laptop()))))

    assert offer is not None
    assert [quote.label for quote in offer.quotes] == ["Aero 14"]


def test_a_quote_that_expired_after_it_was_charged_goes_to_a_person_and_is_not_posted(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, change: Callable[..., None]
) -> None:
    shopper.says(yes=True)
    order_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    change("get_quote", lambda quote: quote.update(status="EXPIRED"))
    refresh.refresh(the_package())
    payment_completed.send(sender=Order, order=shop.order())
    work()

    assert Attention.POLICY_MISSING in [flag.reason for flag in Flag.objects.all()]
    assert not sandbox.calls("create_booking")
    assert Operation.objects.get().state == "needs_person"


# What changed, until it is answered


def test_more_tickets_say_what_the_cover_was_and_is(
    shopper: Shopper, request_for: RequestFor
) -> None:
    before = shopper.says(yes=True).quotes[0].price
    shopper.cart = shopper.cart.but(items=(ticket(count=4),))

    quote = shopper.sees().quotes[0]

    assert quote.lapse is not None
    assert (quote.lapse.was, quote.lapse.now) == (before, quote.price)
    assert current_cover(request_for(shopper.cart)).lapsed
    assert frozen(request_for, shopper.cart).lapsed


def test_the_first_price_is_remembered_over_several_changes(shopper: Shopper) -> None:
    before = shopper.says(yes=True).quotes[0].price
    for count in (3, 4, 5):
        shopper.cart = shopper.cart.but(items=(ticket(count=count),))
        shopper.sees()

    lapse = shopper.sees().quotes[0].lapse
    assert lapse is not None
    assert lapse.was == before


@pytest.mark.parametrize("changes", [{"currency": "EUR"}, {"country": "IE"}, {"language": "de"}])
def test_a_cart_that_is_quoted_as_another_package_says_so(
    shopper: Shopper, request_for: RequestFor, changes: dict[str, str]
) -> None:
    before = shopper.says(yes=True).quotes[0].price
    shopper.cart = shopper.cart.but(**changes)

    lapse = shopper.sees().quotes[0].lapse

    assert lapse is not None
    assert lapse.was == before
    assert frozen(request_for, shopper.cart).lapsed


def test_a_second_order_from_the_same_cart_says_that_its_cover_is_to_be_chosen_again(
    shopper: Shopper, shop: Shop, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    order_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)

    assert shopper.sees().quotes[0].lapse is not None
    assert frozen(request_for, shopper.cart).lapsed


def test_a_no_is_no_yes_that_lapsed(shopper: Shopper, request_for: RequestFor) -> None:
    shopper.says(yes=False)
    shopper.cart = shopper.cart.but(currency="EUR")

    assert shopper.sees().quotes[0].lapse is None
    assert not frozen(request_for, shopper.cart).lapsed


def test_a_yes_that_was_answered_anew_with_no_is_not_spoken_of_again(
    shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    shopper.cart = shopper.cart.but(items=(ticket(count=4),))
    shopper.says(yes=False)
    QuotePackage.objects.update(quoted_at=the_package().quoted_at - timedelta(hours=3))

    assert shopper.sees().quotes[0].lapse is None
    assert not frozen(request_for, shopper.cart).lapsed


def test_terms_are_named_in_one_place(shopper: Shopper) -> None:
    shopper.sees()

    assert set(CHANGES) <= set(agreement.terms(Quote.objects.get()))
