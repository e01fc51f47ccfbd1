"""The words of the offer: the package's own by policy type, or the shop's.

XCover sends calls to action with an offer, too. They are not used: some put pressure on the shopper
("I'll risk it") and some say nothing ("N/A").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, override

from django_xcover import safe_logging
from django_xcover.conf import get_config

logger = safe_logging.get_logger("django_xcover.offers")

# How the offer looks, without a word of difference: docs/templates.md.
LOOKS = ("card", "plain", "compact")
Text = str | Promise
# Key of XCOVER["OFFER_WORDS"] for the policy types that it doesn't name.
EVERY_TYPE = ""
LABEL, PRICE = "Harbour Lights Festival", "£5.25"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What an offer says about one policy type. All of it is plain text, and is escaped.

    `question` may contain `{label}`, the adapter's name for the item, and `{price}`;
    `question_without_label` replaces it if there is no label. `yes` may contain `{price}`.
    `accepted` and `declined` confirm a saved answer. With `refund_days` the offer promises a full
    refund within so many days: XCover agrees these with each partner and doesn't send them with a
    quote, so there is no default.
    """

    question: Text
    question_without_label: Text
    yes: Text
    no: Text
    accepted: Text
    declined: Text
    refund_days: int = 0

    def headline(self, label: str, price: str) -> SafeString:
        """Return the question as HTML, with the price marked up."""
        text = self.question if label else self.question_without_label
        return _fill(text, label=label, price=_price(price))

    def yes_with(self, price: str) -> SafeString:
        """Return the yes as HTML, with the price marked up."""
        return _fill(self.yes, price=_price(price))

    def saved(self, choice: str) -> str:
        """Return the confirmation of `choice`, or "" without one."""
        return str({"accepted": self.accepted, "declined": self.declined}.get(choice, ""))

    @property
    def full_refund(self) -> str:
        """Return the sentence on the full refund, or ""."""
        days = self.refund_days
        text = ngettext(
            "Full refund within %(days)d day.", "Full refund within %(days)d days.", days
        )
        return text % {"days": days} if days else ""


ANY = Words(
    question=_("Protect {label} for {price}"),
    question_without_label=_("Protect this order for {price}"),
    yes=_("Yes, add cover for {price}"),
    no=_("No, continue without cover"),
    accepted=_("Saved: cover is added to your order."),
    declined=_("Saved: no cover is added to your order."),
)
TICKETS = replace(
    ANY,
    question=_("Protect your tickets to {label} for {price}"),
    question_without_label=_("Protect your tickets for {price}"),
)
TRIP = replace(ANY, question_without_label=_("Protect your trip for {price}"))
PARCEL = replace(ANY, question_without_label=_("Protect your parcel for {price}"))
HOME = replace(ANY, question_without_label=_("Protect your home for {price}"))
# XCover's policy types; a partner may have variants of its own (Quotes API: policy types).
BY_POLICY_TYPE = {
    "event_ticket_protection": TICKETS,
    "comprehensive_travel_insurance": TRIP,
    "parcel_insurance": PARCEL,
    "renters_insurance": HOME,
}


def words_for(policy_type: str) -> Words:
    """Return the words for `policy_type`: the setting's, then the package's."""
    words = BY_POLICY_TYPE.get(policy_type, ANY)
    chosen = _chosen()
    for key in (EVERY_TYPE, policy_type):
        words = replace(words, **chosen.get(key, {}))
    return words


def fingerprint() -> str:
    """Return a short hash of the setting, for the record of what was shown; "" if it's not set."""
    chosen = _chosen()
    if not chosen:
        return ""
    with override("en"):
        text = json.dumps(chosen, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _chosen() -> Mapping[str, Mapping[str, Any]]:
    """Return the setting. A checkout never breaks on it: unusable words are logged and ignored."""
    chosen = get_config().offer_words
    try:
        refuse_unusable(chosen)
    except ImproperlyConfigured as problem:
        logger.error("%s The offer uses the package's own words.", problem)  # noqa: TRY400
        return {}
    return chosen


def refuse_unusable(chosen: Any) -> None:
    """Raise ImproperlyConfigured, with the way to fix it, for words that can't be shown."""
    where = "XCOVER['OFFER_WORDS']"
    if not isinstance(chosen, Mapping):
        raise ImproperlyConfigured(f"Set {where} to a dict of policy types to dicts of words.")
    for policy_type, words in chosen.items():
        name = f"{where}[{policy_type!r}]"
        known = {item.name for item in fields(Words)}
        if not isinstance(words, Mapping) or not set(words) <= known:
            known_names = ", ".join(sorted(known))
            raise ImproperlyConfigured(f"Set {name} to a dict with any of: {known_names}.")
        _refuse_words(name, words)


def _refuse_words(name: str, words: Mapping[str, Any]) -> None:
    for key, value in words.items():
        if key == "refund_days":
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ImproperlyConfigured(f"{name}['refund_days'] must be a number of days.")
        elif not isinstance(value, Text) or not str(value).strip():
            raise ImproperlyConfigured(f"{name}[{key!r}] must be a text.")
        elif key.startswith("question") or key == "yes":
            labelled = {"label": LABEL} if key == "question" else {}
            _refuse_text(f"{name}[{key!r}]", str(value), **labelled)


def _refuse_text(name: str, text: str, **labelled: str) -> None:
    try:
        shown = text.format(price=PRICE, **labelled)
    except (KeyError, IndexError, ValueError, AttributeError):
        allowed = " and ".join(f"{{{key}}}" for key in (*labelled, "price"))
        raise ImproperlyConfigured(f"{name} may only contain {allowed}.") from None
    if PRICE not in shown:
        raise ImproperlyConfigured(f"{name} must contain {{price}}.")


def _price(price: str) -> SafeString:
    return format_html('<span class="xcover-price">{}</span>', price)


def _fill(text: Text, **values: Any) -> SafeString:
    return format_html(escape(str(text)), **values)
