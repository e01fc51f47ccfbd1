"""Answers to offered quotes, written to the quote and to the ledger in one go."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from django.db import transaction

from django_xcover import signals
from django_xcover.models import Choice, Decision, Quote
from django_xcover.services.offers import evidence, present

UNSEEN = ""


def record(
    quote: Quote, choice: Choice, *, template_version: str = UNSEEN, plan: str = ""
) -> Decision:
    """Set the quote's answer and put it on record with what was shown.

    `plan` is how a yes is paid in parts; whatever un-makes the yes un-makes it, too. Call it
    inside a transaction. `quote.package` must be loaded.
    """
    quote.choice = "" if choice in {Choice.LAPSED, Choice.UNANSWERED} else choice
    quote.chosen_price = quote.price if quote.choice else None
    quote.instalment_plan = plan if choice == Choice.ACCEPTED else ""
    quote.save(update_fields=["choice", "chosen_price", "instalment_plan", "updated_at"])
    decision = _append(quote, choice, template_version)
    transaction.on_commit(lambda: _announce(decision))
    return decision


def lapse(quotes: Iterable[Quote]) -> bool:
    """Un-make each yes among `quotes` and return whether there was one."""
    accepted = [quote for quote in quotes if quote.choice == Choice.ACCEPTED]
    for quote in accepted:
        record(quote, Choice.LAPSED)
    return bool(accepted)


def withdraw(quotes: Iterable[Quote]) -> None:
    """Take back each yes among `quotes`, because its order was cancelled before it was cover."""
    for quote in quotes:
        if quote.choice == Choice.ACCEPTED:
            record(quote, Choice.WITHDRAWN)


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


def _announce(decision: Decision) -> None:
    signals.decision_recorded.send_robust(sender=Decision, decision=decision)
