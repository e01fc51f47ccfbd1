"""Take over the package that XCover Elements has quoted in the shopper's browser.

XCover's element asks XCover for its own quotes, so the server has seen neither the request nor the
price, and a shopper can change both. Only the id of the package is taken from the browser. The
package is read from XCover, and it must offer the same, to the last term, as the package that the
server has quoted for the cart. Then the element's package is the one that is answered and booked,
because XCover expects that (XCover Elements: back end).
"""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.client import XCoverError, exact_json
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire
from django_xcover.clients import circuit_breaker, factory, rate_limits
from django_xcover.conf import get_config
from django_xcover.exceptions import CircuitOpen, OfferChanged
from django_xcover.exceptions.checkout import ChoiceRefused
from django_xcover.mirror import agreement, request_bodies
from django_xcover.mirror.presentation import Offer, build_offer
from django_xcover.mirror.request_bodies import Lines
from django_xcover.models import Quote, QuotePackage, Status
from django_xcover.offers import carts, choices, quote_storage, quoting
from django_xcover.offers.carts import CartToInsure

logger = safe_logging.get_logger("django_xcover.offers")

PACKAGE_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


def quote_request(cart: CartToInsure) -> str:
    """Return the request for `cart` as JSON, which the element sends to XCover."""
    payload = request_bodies.quote_payload(cart.request, now=timezone.now())
    return exact_json.encode(payload).decode()


def adopt(cart: CartToInsure, package_id: str) -> Offer | None:
    """Make the package with this id the one that the shopper answers, and return its offer.

    Returns None, and changes nothing, if the cart's own offer has been answered or has changed, or
    if the package isn't XCover's, isn't new, or doesn't offer exactly the same.
    """
    own = quoting.latest_quotes(cart)
    if not quoting.is_current(own, cart) or any(quote.choice for quote in own):
        return None
    if own[0].package.package_id == package_id:
        return build_offer(own)
    if not _may_read(cart, package_id):
        return None
    carts.count_quote(cart)
    try:
        answer = _read(cart, package_id)
        return _take_over(cart, own, answer) if answer else None
    except (ChoiceRefused, IntegrityError):
        logger.info("A package of XCover Elements came too late or is not new.")
    except (CircuitOpen, XCoverError) as error:
        logger.warning("A package of XCover Elements could not be read: %s", error)
    return None


def _may_read(cart: CartToInsure, package_id: str) -> bool:
    """Return whether `package_id` can be that of a new package, and the visitor may add one."""
    if not PACKAGE_ID.fullmatch(package_id) or not carts.may_quote(cart):
        return False
    known = QuotePackage.objects.filter(account=cart.account, package_id=package_id)
    return not known.exists()


def _read(cart: CartToInsure, package_id: str) -> PackageAnswer | None:
    """Return the open package as XCover shows it, None if it can't be offered."""
    deadline = get_config().offer_call_deadline
    with circuit_breaker.guard(cart.account), rate_limits.at_once():
        wire = factory.client_for(cart.account).get_quote(package_id, deadline=deadline)
    answer = package_from_wire(wire)
    is_open = answer.status == Status.RECEIVED and answer.package_id == package_id
    is_sellable = is_open and agreement.are_sellable(answer, cart.request.currency)
    return answer if is_sellable else None


def _take_over(cart: CartToInsure, own: list[Quote], answer: PackageAnswer) -> Offer | None:
    lines = request_bodies.lines_of(answer, cart.request.items)
    if differences := _differences(own, cart, answer, lines):
        logger.warning("XCover Elements offered something else: %s.", ", ".join(differences))
        return None
    with transaction.atomic():
        package = choices.open_package(cart)
        if package.pk != own[0].package.pk or any(q.choice for q in carts.lock_offered(package)):
            raise OfferChanged
        # XCover doesn't show for which country the browser asked. Without it, the package is never
        # changed in place, where that country would count.
        quotes = quote_storage.record_package(cart, answer, lines, country="")
    return build_offer(quotes)


def _differences(
    own: list[Quote], cart: CartToInsure, answer: PackageAnswer, lines: Lines
) -> list[str]:
    """Return the names of the terms in which `answer` differs from the server's own offer."""
    offered = {quote.line_reference: quote for quote in quote_storage.draft(cart, answer, lines)[1]}
    if len(answer.quotes) != len(own) or set(offered) != {quote.line_reference for quote in own}:
        return ["lines"]
    names = [
        name
        for quote in own
        for name in agreement.changes_since(quote, offered[quote.line_reference])
    ]
    if any(quote.status != Status.RECEIVED for quote in offered.values()):
        names.append("status")
    return list(dict.fromkeys(names))
