"""Record a shopper's answers, in the quote and in the ledger of decisions together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import QuerySet

from django_xcover import signals
from django_xcover.mirror.lapses import agreed, agreed_before
from django_xcover.mirror.presentation import evidence, present
from django_xcover.models import Cancellation, Choice, Decision, Quote
from django_xcover.types import Money

UNSEEN = ""
# Why an acceptance was taken back.
ORDER_CANCELLED = "The order was cancelled."
WITHDREW = "The customer has withdrawn."
COVER_CANCELLED = "The cover was cancelled."
NOTHING_LEFT = "What was chosen is not offered any more."
State = Cancellation.State
# The columns that hold the shopper's answer, or what is kept of a lapsed one.
ANSWER = (
    "choice",
    "chosen_price",
    "instalment_plan",
    "lapsed_price",
    "lapsed_currency",
    "lapsed_terms",
)


def record(
    quote: Quote, choice: Choice, *, template_version: str = UNSEEN, plan: str = ""
) -> Decision:
    """Set the quote's answer and record it together with the offer that was shown.

    `plan` names the instalment plan of an acceptance; it is cleared whenever the acceptance is.
    Call it inside a transaction. `quote.package` must be loaded.
    """
    if choice in {Choice.ACCEPTED, Choice.DECLINED}:
        forget_lapse(quote)
    quote.choice = "" if choice in {Choice.LAPSED, Choice.UNANSWERED} else choice
    if choice != Choice.WITHDRAWN:
        # A withdrawal keeps what was agreed: XCover may have booked it at another price since.
        quote.chosen_price = quote.price if quote.choice else None
    quote.instalment_plan = plan if choice == Choice.ACCEPTED else ""
    quote.save(update_fields=[*ANSWER, "updated_at"])
    decision = _append(quote, choice, template_version)
    transaction.on_commit(
        lambda: signals.decision_recorded.send_robust(sender=Decision, decision=decision)
    )
    return decision


def lapse(quotes: Iterable[Quote], changed: Iterable[str] = ()) -> bool:
    """Clear each acceptance among `quotes` and return whether there was one.

    `changed` names the terms that changed. The quote keeps them with the agreed price, so that the
    shopper can be asked again and shown the reason.
    """
    accepted = [quote for quote in quotes if quote.choice == Choice.ACCEPTED]
    for quote in accepted:
        note_lapse(quote, agreed(quote), changed)
        record(quote, Choice.LAPSED)
    return bool(accepted)


def note_lapse(quote: Quote, was: Money, changed: Iterable[str] = ()) -> None:
    """Note on `quote` that its acceptance at the price `was` has lapsed. Does not save."""
    quote.lapsed_price, quote.lapsed_currency = was.amount, was.currency
    quote.lapsed_terms = ",".join(changed)


def inherit_lapse(quote: Quote, earlier: Quote, changed: Iterable[str]) -> None:
    """Note on `quote` that the acceptance of `earlier`, which it replaces, does not carry over.

    `changed` names the terms in which the two differ. Does not save.
    """
    was = agreed_before(earlier)
    if was is None:
        return
    known = [] if earlier.choice else [name for name in earlier.lapsed_terms.split(",") if name]
    note_lapse(quote, was, dict.fromkeys([*known, *changed]))


def forget_lapse(quote: Quote) -> None:
    """Clear the record of a lapsed acceptance from `quote`. Does not save."""
    quote.lapsed_price, quote.lapsed_currency, quote.lapsed_terms = None, "", ""


def withdraw(quotes: Iterable[Quote]) -> None:
    """Withdraw each acceptance among `quotes`: it was cancelled, or withdrawn from, unbooked."""
    for quote in quotes:
        if quote.choice == Choice.ACCEPTED:
            record(quote, Choice.WITHDRAWN)


def why_withdrawn(quotes: Iterable[Quote]) -> str:
    """Return why the acceptances of `quotes` were taken back, for XCover and for operations."""
    keys = {quote.pk for quote in quotes}
    stated = _in(Cancellation.objects.filter(withdrawal__isnull=False), keys)
    made = Cancellation.objects.filter(
        state__in=(State.REQUESTED, State.CONFIRMED, State.NOT_NEEDED)
    )
    cancelled = _in(made.exclude(origin=Cancellation.Origin.SHOP), keys) - stated
    reasons = {
        ORDER_CANCELLED: keys - stated - cancelled,
        WITHDREW: stated,
        COVER_CANCELLED: cancelled,
    }
    return " ".join(reason for reason, found in reasons.items() if found) or NOTHING_LEFT


def _in(cancellations: QuerySet[Cancellation], keys: Collection[int]) -> set[int]:
    """Return which of the quotes `keys` are in one of `cancellations`."""
    found = cancellations.filter(quotes__in=keys).values_list("quotes", flat=True)
    return set(found) & set(keys)


def _append(quote: Quote, choice: Choice, template_version: str) -> Decision:
    package = quote.package
    shown = evidence(present(quote))
    wording = json.dumps(shown, sort_keys=True, separators=(",", ":"))
    return Decision.objects.create(
        package=package,
        quote=quote,
        choice=choice,
        price=quote.price,
        currency=package.currency,
        instalment_plan=quote.instalment_plan,
        locale=package.customer_language,
        shown=shown,
        wording_hash=hashlib.sha256(wording.encode()).hexdigest(),
        template_version=template_version,
        shopper_reference=package.shopper_reference,
        order_reference=package.order_reference,
    )
