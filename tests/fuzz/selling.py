"""The steps from a cart to a booking, each with what XCover answers to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from django_xcover import cover
from django_xcover.booking import dual_payment, instant_booking
from django_xcover.cover import book_instantly
from django_xcover.models import Operation
from django_xcover.offers import quoting
from tests import completion
from tests.fuzz.recording import Recorder, Step, record
from tests.fuzz.sale import (
    answer,
    booked,
    carry_out,
    cart_of,
    order_of,
    package_of,
    read,
    seen_with,
    sold,
    work,
)
from tests.shop import ANA, Cart, laptop, ticket

TOKEN = "5d8f0c1e-7a55-4a0e-9a77-0d5a2f1c9e11"


def steps(recorder: Recorder) -> Iterator[Step]:
    """Yield every step of selling and booking."""
    yield from _offering(recorder)
    yield from _booking(recorder)
    yield from _paying_later(recorder)
    yield from _declining(recorder)
    yield from _at_once(recorder)


def _offering(recorder: Recorder) -> Iterator[Step]:
    new = cart_of("new", ticket(), laptop())
    yield record(recorder, "quote", new, partial(_offer, new))
    cart = cart_of("changing", ticket(), laptop())
    assert quoting.fresh_offer(read(cart))
    other = cart.but(items=(ticket(price="80"), laptop("second")))
    yield record(recorder, "update", other, partial(_offer, other))
    named = cart.but(items=(ticket(), replace(laptop(), label="Another name")))
    yield record(recorder, "read an offer again", named, partial(_offer, named))
    bought = cart_of("bought", ticket(), laptop())
    yield record(recorder, "sale", bought, partial(_sale, bought))


def _offer(cart: Cart) -> str:
    return "an offer" if quoting.fresh_offer(read(cart)) else "no offer"


def _sale(cart: Cart) -> str:
    """Do all that a shopper and a worker do, so that a bent offer is chosen, paid and booked."""
    if not answer(cart):
        return "no offer"
    cover.freeze_cover(seen_with(cart), cart)
    completion.complete(order_of(cart), cart, paid=True)
    return work(package_of(cart))


def _booking(recorder: Recorder) -> Iterator[Step]:
    cart = cart_of("booking", ticket(), laptop())
    booking = sold(cart).operations.get()
    first = record(recorder, "book", cart, partial(carry_out, booking))
    again = record(recorder, "book again", cart, partial(carry_out, booking, again=True))
    answers = {**again.answers, **first.answers}
    yield Step("book", first.act, answers, cart)
    yield Step("book again", again.act, answers, cart)
    done = cart_of("done")
    package = booked(done)
    repeated = Operation.objects.create(package=package, kind="book", subject="repeated")
    act = partial(carry_out, repeated, again=True)
    yield record(recorder, "book what is booked", done, act)
    charged = cart_of("charged")
    package = sold(charged)
    recorder.sandbox.xpay.add_token(TOKEN, ANA.email)
    dual_payment.use_token(package, TOKEN)
    payment = package.operations.get()
    yield record(recorder, "dual payment", charged, partial(carry_out, payment))


def _paying_later(recorder: Recorder) -> Iterator[Step]:
    cart = cart_of("later")
    pending = sold(cart, paid=False)
    operation = pending.operations.get()
    yield record(recorder, "book unpaid", cart, partial(carry_out, operation))
    cart = cart_of("paid-later")
    package = sold(cart, paid=False)
    work(package)
    completion.complete(order_of(cart), cart, paid=True)
    payment = package.operations.get(kind="confirm_payment")
    yield record(recorder, "confirm payment", cart, partial(carry_out, payment))
    act = partial(carry_out, payment, again=True)
    yield record(recorder, "confirm payment again", cart, act)


def _declining(recorder: Recorder) -> Iterator[Step]:
    cart = cart_of("declined")
    assert answer(cart, yes=False)
    completion.complete(order_of(cart), cart, paid=True)
    operation = package_of(cart).operations.get()
    yield record(recorder, "opt out", cart, partial(carry_out, operation))
    yield record(recorder, "opt out again", cart, partial(carry_out, operation, again=True))


def _at_once(recorder: Recorder) -> Iterator[Step]:
    """Yield what needs no package: a price on a product page, and a booking in one call."""
    seen = cart_of("seen", laptop(), ticket())
    yield record(recorder, "fast quote", seen, partial(_price, seen))
    cart = cart_of("instant", laptop(), ticket())
    yield record(recorder, "fast quote declined", cart, partial(_decline, cart))
    offer = instant_booking.price(read(cart).request)
    assert offer is not None
    agreed = offer.prices
    operation = book_instantly(order_of(cart), read(cart).request, agreed=agreed)
    yield record(recorder, "instant booking", cart, partial(carry_out, operation))
    act = partial(carry_out, operation, again=True)
    yield record(recorder, "instant booking again", cart, act)
    whole = cart_of("at-once", laptop(), ticket())
    yield record(recorder, "instant sale", whole, partial(_instant_sale, whole))


def _price(cart: Cart) -> str:
    """Ask twice: the second price is the one that was kept."""
    request = read(cart).request
    prices = [instant_booking.price(request) for _ in range(2)]
    assert (prices[0] is None) == (prices[1] is None)
    return "a price" if prices[0] else "no price"


def _decline(cart: Cart) -> str:
    request = read(cart).request
    offer = instant_booking.price(request)
    operation = instant_booking.opt_out(offer, request) if offer else None
    return carry_out(operation) if operation else "nothing to decline"


def _instant_sale(cart: Cart) -> str:
    request = read(cart).request
    offer = instant_booking.price(request)
    if offer is None:
        return "no price"
    return carry_out(book_instantly(order_of(cart), request, agreed=offer.prices))
