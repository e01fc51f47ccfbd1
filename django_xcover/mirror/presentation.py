"""Present quotes to shoppers: turn vendor values into safe, readable ones."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.utils.safestring import SafeString, mark_safe

from django_xcover.client.http import is_this_machine
from django_xcover.client.schemas.stored import StoredBenefit, StoredQuote, WordedAmount
from django_xcover.formats import format_amount
from django_xcover.mirror import instalment_plans as plans
from django_xcover.mirror import lapses
from django_xcover.mirror.instalment_plans import Plan
from django_xcover.mirror.lapses import Lapse, LostCover
from django_xcover.models import Choice, Quote
from django_xcover.types import Money

TAGS = {"a", "br", "em", "li", "ol", "p", "strong", "ul"}
ATTRIBUTES = {"a": {"href"}}
# A link whose address nh3 has removed.
DEAD_LINK = re.compile(r'<a(?: (?:rel|target)="[^"]*")*>(.*?)</a>', re.DOTALL)
BLANKS = {"", "N/A", "n/a", "None"}
# For an excess this is a statement that there is none (Quotes API: benefits).
NO_EXCESS = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One thing the cover pays for. `limit` and `excess` are ready to show, or empty."""

    description: str
    limit: str
    excess: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that XCover sends with a quote, such as the product information document."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedQuote:
    """One quote as the shopper sees it.

    Amounts are formatted for the reader's language. `told` has XCover's own texts for them, for the
    record of the decision. `plans` are the instalment plans, empty when XCover offers none; `plan`
    is the name of the chosen one, "" for paying the whole price at once. `lapse` is a lapsed
    acceptance that has not been answered again.
    """

    quote_id: str
    policy_type: str
    label: str
    name: str
    description: str
    price: Money
    price_formatted: str
    cover_amount_formatted: str
    benefits: tuple[Benefit, ...]
    disclaimer: SafeString
    pds_url: str
    documents: tuple[Document, ...]
    insurer: str
    starts: datetime | None
    ends: datetime | None
    choice: str
    told: Mapping[str, Any]
    plans: tuple[Plan, ...] = ()
    plan: str = ""
    lapse: Lapse | None = None

    @property
    def chosen_plan(self) -> Plan | None:
        """Return the chosen instalment plan, None for paying all at once."""
        return next((plan for plan in self.plans if plan.name == self.plan), None)

    @property
    def due_today(self) -> Money:
        """Return what is due today: the first instalment of the chosen plan, or the price."""
        return self.chosen_plan.first if self.chosen_plan else self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """All quotes that are open for one cart.

    `lost` is what the shopper accepted and is not offered any more. An offer without quotes has
    nothing else to say. `was_shown` tells whether the shopper was shown an offer of this package.
    """

    package_id: str
    currency: str
    quotes: tuple[OfferedQuote, ...]
    lost: tuple[LostCover, ...] = ()
    package_pk: int | None = None
    was_shown: bool = False

    @property
    def is_answered(self) -> bool:
        """Return whether the shopper has accepted or declined each quote."""
        return all(quote.choice for quote in self.quotes)

    @property
    def has_lapsed(self) -> bool:
        """Return whether an acceptance has lapsed and has not been answered again."""
        return any(quote.lapse for quote in self.quotes) or any(one.is_asked for one in self.lost)

    @property
    def premium(self) -> Money:
        """Return what is due today for the accepted quotes, counting first instalments."""
        accepted = (q.due_today.amount for q in self.quotes if q.choice == Choice.ACCEPTED)
        return Money(sum(accepted, Decimal(0)), self.currency)


def build_offer(quotes: Sequence[Quote]) -> Offer:
    """Return the offer of one package's `quotes` (at least one, `package` loaded)."""
    package = quotes[0].package
    return Offer(
        package_id=package.package_id,
        currency=package.currency,
        quotes=tuple(present(quote) for quote in quotes),
        lost=lapses.read_lost(package),
        package_pk=package.pk,
        was_shown=package.shown_at is not None,
    )


def present(quote: Quote) -> OfferedQuote:
    """Return `quote` as it is shown.

    `content.title` is never shown: it comes with unfilled template variables (recorded).
    """
    answer, currency = quote.answer, quote.package.currency
    return OfferedQuote(
        quote_id=quote.quote_id,
        policy_type=quote.policy_type,
        label=quote.label,
        name=quote.policy_name,
        description=clean_text(answer.description),
        price=quote.cost,
        price_formatted=format_amount(quote.cost),
        cover_amount_formatted=_amount(answer.cover_amount, currency),
        benefits=tuple(_benefit(one, currency) for one in described(answer)),
        disclaimer=clean_html(answer.disclaimer),
        pds_url=web_address(answer.pds_url),
        documents=tuple(
            Document(name=clean_text(document.name), url=web_address(document.url))
            for document in answer.documents
            if web_address(document.url)
        ),
        insurer=clean_text(answer.insurer),
        starts=quote.policy_start_date,
        ends=quote.policy_end_date,
        choice=quote.choice if quote.choice in {Choice.ACCEPTED, Choice.DECLINED} else "",
        told=_told(answer),
        plans=plans.offered_plans(quote),
        plan=quote.instalment_plan,
        lapse=lapses.lapse_of(quote),
    )


def evidence(shown: OfferedQuote) -> dict[str, Any]:
    """Return what the page showed, as JSON values for the record of the decision.

    Amounts use XCover's texts, so that the evidence for an offer is the same in every language.
    """
    values = asdict(shown)
    values |= values.pop("told")
    # The shopper's choice, current or earlier, is not part of what was shown.
    del values["choice"], values["plan"], values["lapse"]
    # Without the query: links to files are signed anew with each answer.
    values["documents"] = [
        {"name": document.name, "url": document.url.partition("?")[0]}
        for document in shown.documents
    ]
    values["plans"] = [plans.evidence(plan) for plan in shown.plans]
    values["disclaimer"] = str(shown.disclaimer)
    # Without the column's trailing zeros, so that equal prices give the same text and hash.
    amount = f"{shown.price.amount.normalize():f}"
    values["price"] = {"amount": amount, "currency": shown.price.currency}
    for key in ("starts", "ends"):
        # In UTC: XCover keeps the offset a time was sent with, the database does not.
        values[key] = values[key].astimezone(UTC).isoformat() if values[key] else None
    return values


def offer_hash(shown: OfferedQuote) -> str:
    """Return a short hash of what is shown: price, wording, documents and period.

    The page sends it back with the answer, so that an answer to an older offer is recognised.
    """
    return hashlib.sha256(json.dumps(evidence(shown), sort_keys=True).encode()).hexdigest()[:32]


def clean_html(value: Any) -> SafeString:
    """Return the vendor's HTML reduced to plain text marks and https links.

    Disclaimers hold tags and entities (recorded), and could contain anything. A link without
    an absolute https address keeps its text only: it would lead into the shop (`/cart`), to another
    site with the page's own scheme (`//evil`), or nowhere.
    """
    text = value if isinstance(value, str) and value.strip() not in BLANKS else ""
    cleaned = nh3.clean(
        text,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_absolute,
        url_schemes={"https"},
        link_rel="noopener noreferrer",
        # In a new tab: a link in a disclaimer must not lead out of the checkout.
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(DEAD_LINK.sub(r"\1", cleaned))  # noqa: S308 - nh3 has just cleaned it


def _absolute(tag: str, attribute: str, value: str) -> str | None:
    # Check the prefix, not the parsed parts: browsers read `https:evil` as a path on this page.
    is_absolute = value.startswith("https://") and bool(web_address(value))
    return value if attribute != "href" or is_absolute else None


def clean_text(value: Any) -> str:
    """Return the vendor's text without tags, or "" for an empty value."""
    if not isinstance(value, str) or value.strip() in BLANKS:
        return ""
    return " ".join(value.split())


def web_address(value: Any) -> str:
    """Return `value` when it is a web address, else ""."""
    if not isinstance(value, str):
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:  # brackets or letters that are invalid in a host name
        return ""
    local = parts.scheme == "http" and is_this_machine(parts.hostname)
    return value if parts.hostname and (parts.scheme == "https" or local) else ""


def _benefit(benefit: StoredBenefit, currency: str) -> Benefit:
    # Limit and excess each come as an amount, a description or not at all (recorded contract, 4.6).
    return Benefit(
        description=clean_text(benefit.description),
        limit=_amount(benefit.limit, currency) or clean_text(benefit.limit.description),
        excess=_amount(benefit.excess, currency) or excess_in_words(benefit),
    )


def _told(answer: StoredQuote) -> dict[str, Any]:
    """Return XCover's own texts for the amounts that are shown in the reader's format."""
    return {
        "price_formatted": clean_text(answer.price_formatted),
        "cover_amount_formatted": clean_text(answer.cover_amount.formatted),
        "benefits": [_benefit_told(benefit) for benefit in described(answer)],
    }


def _benefit_told(benefit: StoredBenefit) -> dict[str, str]:
    limit, excess = benefit.limit, benefit.excess
    return {
        "description": clean_text(benefit.description),
        "limit": clean_text(limit.formatted) or clean_text(limit.description),
        "excess": clean_text(excess.formatted) or excess_in_words(benefit),
    }


def described(answer: StoredQuote) -> list[StoredBenefit]:
    """Return the benefits that have a description."""
    return [benefit for benefit in answer.benefits if clean_text(benefit.description)]


def excess_in_words(benefit: StoredBenefit) -> str:
    """Return XCover's text of the excess, which says so when there is none."""
    words = benefit.excess.description
    return NO_EXCESS if words == NO_EXCESS else clean_text(words)


def _amount(worded: WordedAmount, currency: str) -> str:
    """Return the amount in the reader's format, or XCover's text if it is not a number.

    These amounts are in the currency of the quote (recorded contract, 4.6). An amount for which
    XCover sends no text is not shown.
    """
    text = clean_text(worded.formatted)
    return (
        format_amount(Money(worded.amount, currency))
        if text and worded.amount is not None
        else text
    )
