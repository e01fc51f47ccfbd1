"""The states of the offer, and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from django_xcover.checkout.forms import PLEASE_CHOOSE
from django_xcover.checkout.presenters import offer_context, price_sentence
from django_xcover.cover import OrderCover
from django_xcover.exceptions import OfferChanged
from django_xcover.mirror.presentation import Offer
from django_xcover.offers.words import LOOKS
from django_xcover.testing.factories import answers
from django_xcover.testing.gallery import offers
from django_xcover.testing.gallery.offers import DOCUMENTS, FLIGHT, ITEMS, NO, TICKET, YES
from django_xcover.types import Money


@dataclass(frozen=True, slots=True)
class State:
    """One state of the offer: a short `name`, a `title` in English, and its HTML.

    The ids in `html` begin with `name`, so that all states can be on one page.
    """

    name: str
    title: str
    html: SafeString


def nothing() -> None:
    """Return no offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """How a state comes about. Without `script`, the page is as it is without JavaScript.

    `offer` and `error` are called while rendering, in the active language. `is_unsaved` puts the
    error at the first quote, where an answer couldn't be saved. `items` is the number in the cart.
    """

    title: str
    offer: Callable[[], Offer | None] = nothing
    error: Callable[[], str] = str
    is_unsaved: bool = False
    ask: bool = False
    script: bool = True
    items: int = 1


def not_saved() -> str:
    """Return what the script says if an answer couldn't be saved."""
    return gettext("We couldn't save your answer. Please try again.")


SCENES = {
    "loading": Scene(title="Loading"),
    "loading-several": Scene(title="Loading, several items", items=len(ITEMS)),
    "none": Scene(title="No offer", offer=offers.empty),
    "one": Scene(title="One item", offer=lambda: offers.offer(TICKET)),
    "several": Scene(title="Several items", offer=lambda: offers.offer(*ITEMS)),
    "plans": Scene(title="Payment plans", offer=lambda: offers.offer(FLIGHT, plans=True)),
    "accepted": Scene(title="Accepted", offer=lambda: offers.offer(TICKET, choices=[YES])),
    "declined": Scene(title="Declined", offer=lambda: offers.offer(TICKET, choices=[NO])),
    "in-parts": Scene(
        title="Accepted, with a payment plan",
        offer=lambda: offers.offer(FLIGHT, choices=[YES], plans=True, instalment_plan=answers.PLAN),
    ),
    "all-accepted": Scene(
        title="Several items, all accepted",
        offer=lambda: offers.offer(*ITEMS[:3], choices=[YES] * 3),
    ),
    "mixed": Scene(
        title="Several items, different answers",
        offer=lambda: offers.offer(*ITEMS[:3], choices=[YES, NO, ""]),
    ),
    "new-price": Scene(
        title="Lapsed: the price has changed",
        offer=lambda: offers.offer(TICKET, lapsed_price=Decimal("4.85"), lapsed_currency="GBP"),
    ),
    "new-terms": Scene(
        title="Lapsed: price and terms have changed",
        offer=lambda: offers.offer(
            TICKET,
            lapsed_price=Decimal("4.85"),
            lapsed_currency="GBP",
            lapsed_terms="period,benefits",
        ),
    ),
    "ordered": Scene(
        title="Lapsed: accepted for an order that was cancelled",
        offer=lambda: offers.offer(
            TICKET,
            lapsed_price=Decimal(TICKET.price),
            lapsed_currency="GBP",
            lapsed_terms="order_cancelled",
        ),
    ),
    "lost": Scene(
        title="Withdrawn: other items aren't covered any more",
        offer=lambda: offers.offer(TICKET, lost=True),
    ),
    "all-lost": Scene(title="Withdrawn: nothing is left", offer=lambda: offers.empty(lost=True)),
    "asked": Scene(title="Question pending (ask)", offer=lambda: offers.offer(TICKET), ask=True),
    "asked-several": Scene(
        title="Question pending (ask), several items",
        offer=lambda: offers.offer(*ITEMS[:3]),
        ask=True,
    ),
    "unsaved": Scene(
        title="Error: the answer couldn't be saved",
        offer=lambda: offers.offer(TICKET),
        error=not_saved,
        is_unsaved=True,
    ),
    "refused": Scene(
        title="Error: the offer has changed",
        offer=lambda: offers.offer(TICKET),
        error=lambda: str(OfferChanged()),
    ),
    "documents": Scene(
        title="Several documents",
        offer=lambda: offers.offer(TICKET, fields={"files": DOCUMENTS}),
    ),
    "bare": Scene(title="Only what XCover must send", offer=offers.bare),
    "long": Scene(title="Long texts", offer=offers.long),
    "long-several": Scene(
        title="Long texts, several items",
        offer=lambda: offers.offer(offers.LONG, *ITEMS[:2]),
    ),
    "no-script": Scene(
        title="Without JavaScript", offer=lambda: offers.offer(TICKET), script=False
    ),
    "no-script-loading": Scene(title="Without JavaScript, before the offer", script=False),
}


def states(request: HttpRequest, *, look: str = "card") -> tuple[State, ...]:
    """Return every state of the offer in the active language.

    `look` is one of LOOKS. XCOVER["OFFER_INSTALMENTS"] decides whether payment plans are shown.
    XCover's own texts are in English. Raises ValueError for an unknown look.
    """
    if look not in LOOKS:
        raise ValueError(f"{look!r} is no look. Choose one of {', '.join(LOOKS)}.")
    places = (
        State(name, scene.title, _prefixed(name, _place(request, scene, look)))
        for name, scene in SCENES.items()
    )
    return (*places, *_around(request))


def _place(request: HttpRequest, scene: Scene, look: str) -> str:
    offer = scene.offer()
    quote_id = offer.quotes[0].quote_id if offer and scene.is_unsaved else ""
    error = scene.error()
    context = offer_context(request, offer, error=error, quote_id=quote_id, ask=scene.ask)
    context |= {"look": look, "next": "", "items": range(scene.items), "ask": PLEASE_CHOOSE}
    html = render_to_string("xcover/place.html", context, request)
    return _after_the_script(html, scene) if scene.script else html


def _after_the_script(html: str, scene: Scene) -> str:
    """Return `html` with the classes that the script sets."""
    html = html.replace('class="xcover ', 'class="xcover xcover-live ', 1)
    unsaved = 'class="xcover-quote xcover-unsaved"'
    return html.replace('class="xcover-quote"', unsaved) if scene.is_unsaved else html


# Attributes with an id, or with references to ids.
IDS = re.compile(r'\b(?:id|for|aria-[a-z]+)="xcover-[^"]*"')


def _prefixed(name: str, html: str) -> SafeString:
    """Return `html` with ids that are unique on a page with all states."""
    renamed = IDS.sub(lambda found: found[0].replace("xcover-", f"{name}-xcover-"), html)
    return mark_safe(renamed)  # noqa: S308 - the templates have escaped it


def _around(request: HttpRequest) -> tuple[State, ...]:
    """Return what the other tags show: the price on a product's page, and the order's cover."""
    price = {"text": price_sentence(Money(Decimal(TICKET.price), "GBP"))}
    found = [State("price", "Price on a product page", _render(request, "price", **price))]
    for state in ("arranging", "declined"):
        html = _render(request, "policies", cover=OrderCover(state=state))
        found.append(
            State(f"order-{state}", f"Order page: {state}", _prefixed(f"order-{state}", html))
        )
    return tuple(found)


def _render(request: HttpRequest, template: str, **context: object) -> SafeString:
    return render_to_string(f"xcover/{template}.html", context, request)
