"""The shopper's yes and no."""

from __future__ import annotations

import pytest
from django.http import HttpRequest

from django_xcover import exceptions, signals
from django_xcover.models import Choice, Decision, DecisionsAreFinal, Quote, QuotePackage
from django_xcover.offers import quoting
from django_xcover.sandbox import Sandbox
from tests.conftest import ReadCart, Shopper
from tests.shop import Cart, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def test_a_forged_quote_id_is_refused_with_a_sentence(shopper: Shopper) -> None:
    shopper.sees()

    with pytest.raises(exceptions.OfferChanged, match="offer has changed"):
        shopper.posts("7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11", yes=True)

    assert not Decision.objects.exists()


def test_a_quote_id_in_other_letters_is_another_id(shopper: Shopper) -> None:
    quote_id = shopper.sees().quotes[0].quote_id

    with pytest.raises(exceptions.OfferChanged):
        shopper.posts(quote_id.upper(), yes=True)


def test_somebody_elses_quote_is_refused(shopper: Shopper, read: ReadCart) -> None:
    theirs = shopper.sees().quotes[0].quote_id
    me = Shopper(Cart(reference="cart-2"), read)
    me.sees()

    with pytest.raises(exceptions.OfferChanged):
        me.posts(theirs, yes=True)

    assert Quote.objects.get(quote_id=theirs).choice == ""


def test_a_yes_to_an_offer_for_an_earlier_cart_is_refused(shopper: Shopper) -> None:
    quote_id = shopper.sees().quotes[0].quote_id
    shopper.cart = shopper.cart.but(items=(ticket(price="80"),))

    with pytest.raises(exceptions.OfferChanged):
        shopper.posts(quote_id, yes=True)


def test_a_choice_after_the_order_is_refused(shopper: Shopper) -> None:
    quote_id = shopper.says(yes=False).quotes[0].quote_id
    QuotePackage.objects.update(order_reference="ORD-1")

    with pytest.raises(exceptions.OfferClosed, match="already been placed"):
        shopper.posts(quote_id, yes=True)

    assert Quote.objects.get().choice == Choice.DECLINED


def test_a_choice_without_any_offer_is_refused(shopper: Shopper) -> None:
    with pytest.raises(exceptions.OfferChanged):
        shopper.posts("7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11", yes=True)


def test_nothing_is_chosen_before_the_shopper_says_so(shopper: Shopper) -> None:
    offer = shopper.sees()

    assert not offer.is_answered
    assert offer.premium.amount == 0


def test_a_yes_counts_and_puts_what_was_shown_on_record(shopper: Shopper) -> None:
    shown = shopper.sees().quotes[0]

    offer = shopper.posts(shown.quote_id, yes=True)

    decision = Decision.objects.get()
    assert offer.is_answered
    assert offer.premium == shown.price
    assert (decision.choice, decision.price) == (Choice.ACCEPTED, shown.price.amount)
    assert decision.shown["price_formatted"] == shown.price_formatted
    assert decision.shown["pds_url"] == shown.pds_url
    assert decision.template_version == "test"
    assert len(decision.wording_hash) == 64


def test_the_same_answer_sent_again_is_one_decision(shopper: Shopper) -> None:
    shopper.says(yes=True)
    shopper.says(yes=True)

    assert Decision.objects.count() == 1


def test_a_change_of_mind_is_two_decisions(shopper: Shopper) -> None:
    shopper.says(yes=True)
    offer = shopper.says(yes=False)

    assert offer.premium.amount == 0
    choices = Decision.objects.order_by("pk").values_list("choice", flat=True)
    assert list(choices) == [Choice.ACCEPTED, Choice.DECLINED]


def test_a_decision_is_announced_after_the_commit(
    shopper: Shopper, django_capture_on_commit_callbacks: object
) -> None:
    heard: list[Decision] = []

    def hear(sender: type, decision: Decision, **kwargs: object) -> None:
        heard.append(decision)

    signals.decision_recorded.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            shopper.says(yes=True)
            assert heard == []
    finally:
        signals.decision_recorded.disconnect(hear)

    assert [decision.choice for decision in heard] == [Choice.ACCEPTED]


def test_a_decision_on_record_can_be_neither_changed_nor_removed(shopper: Shopper) -> None:
    shopper.says(yes=True)
    decision = Decision.objects.get()

    for attempt in (
        decision.save,
        decision.delete,
        Decision.objects.all().delete,
        lambda: Decision.objects.update(choice=Choice.DECLINED),
    ):
        with pytest.raises(DecisionsAreFinal):
            attempt()


def test_the_wording_hash_changes_with_the_wording(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.says(yes=True)
    shopper.cart = shopper.cart.but(language="de")
    shopper.says(yes=True)

    assert len(set(Decision.objects.values_list("wording_hash", flat=True))) == 2


def test_an_offer_is_never_answered_by_looking_at_it(shopper: Shopper, read: ReadCart) -> None:
    shopper.sees()
    quoting.stored_offer(HttpRequest(), read(shopper.cart))

    assert not Decision.objects.exists()
