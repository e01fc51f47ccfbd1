"""Policies and amounts in few words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from django_xcover.admin.links import link, policy_url
from django_xcover.models import BOOKED, Quote
from django_xcover.services.amounts import format_amount
from django_xcover.types import Money


def policies_text(quotes: Any) -> str:
    """Return what `quotes` insure, in few words."""
    return ", ".join(quote.label or quote.policy_name for quote in quotes) or "-"


def policy_links(quotes: Any) -> SafeString | str:
    """Return links to the policies that `quotes` became."""
    links = ((_policy(quote),) for quote in quotes)
    return format_html_join(", ", "{}", links) or "-"


def typed_amount(money: Money) -> str:
    """Return an amount as one types it: with the currency's decimals, more when it has more."""
    places = get_currency_precision(money.currency)
    whole = money.amount.quantize(Decimal(1).scaleb(-places))
    return f"{whole if whole == money.amount else money.amount.normalize():f}"


def amount(value: Any, currency: str) -> str:
    """Return an amount for people, "-" for none."""
    return "-" if value is None else format_amount(Money(value, currency))


def _policy(quote: Quote) -> SafeString | str:
    text = ": ".join(part for part in (quote.label, quote.policy_name) if part)
    return link(policy_url(quote), text) if quote.status in BOOKED else text
