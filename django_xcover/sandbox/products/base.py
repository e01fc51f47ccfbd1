"""The parts of a policy type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django_xcover.sandbox import money
from django_xcover.sandbox.http.errors import Invalid
from django_xcover.sandbox.validation import (
    Field,
    Parser,
    amount,
    any_object,
    any_text,
    list_of,
    moment,
    text,
    version,
)

NO_POLICY = "no policy available for these parameters"
# The fields of every policy type.
COMMON: dict[str, Field] = {
    "policy_type": Field(text, required=True),
    "policy_type_version": Field(version),
    # Other clients send it, also as `[{}, {}]`. Inferred: it is ignored; bookings name them.
    "insured": Field(list_of(any_object), null=True),
    "policy_start_date": Field(moment),
    "partner_price": Field(amount),
}


@dataclass(frozen=True)
class Terms:
    """The country and currencies of a quote. `now` is the default start of the policy."""

    currency: str
    country: str
    policy_currency: str
    now: datetime

    def pounds(self, pounds: Decimal) -> Decimal:
        """Return an amount of pounds in the quote's currency."""
        return money.converted(pounds, "GBP", self.currency)

    def start(self, fields: Mapping[str, Any], *others: str) -> datetime:
        """Return the requested start, else the first of the `others`, else now."""
        named = (fields.get(name) for name in ("policy_start_date", *others))
        return next((moment for moment in named if moment), self.now)


@dataclass(frozen=True)
class Cover:
    """The cover of a product: the period, the net premium and the benefits."""

    start: datetime
    end: datetime | None
    net: Decimal
    amount: Decimal
    benefits: list[dict[str, Any]]


@dataclass(frozen=True)
class Texts:
    """The texts for shoppers in one language, with the placeholders `{name}` and `{pds_url}`."""

    title: str
    description: str
    optout_msg: str
    disclaimer: str
    benefits: Mapping[str, str]
    wording: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Version:
    """A version of a policy type: its own currency, if any, and whether its cover ends.

    Seen in 2026: a customer in the US who pays in dollars has a policy in euros. Inferred: without
    its own currency the policy is in that of the customer's country.
    """

    currency: str | None = None
    open_ended: bool = False


@dataclass(frozen=True)
class Product:
    """One policy type. `own` are its own request keys.

    `priced` names the amounts in the items of fields that are lists. `fixed` are the fields that
    cannot be changed in a booked policy. `cancellable_until` names the field with the end of the
    time in which the policy can be cancelled; without it, that is the policy's end. `versions` are
    those that can be quoted. The net premium is multiplied by `renewal_rate` at each renewal.
    """

    policy_type: str
    group_name: str
    name: str
    code: str
    version_id: str
    name_field: str
    own: Mapping[str, Field]
    cover: Callable[[Mapping[str, Any], Terms], Cover]
    texts: Mapping[str, Texts]
    priced: Mapping[str, str] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    cancellable_until: str | None = None
    instalments: bool = False
    first_instalment_named: bool = True
    renewable: bool = False
    renewal_rate: Decimal = Decimal(1)
    versions: Mapping[str, Version] = field(default_factory=lambda: {"1": Version()})

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Return all request keys."""
        return {**COMMON, **self.own}

    def in_language(self, language: str) -> Texts:
        """Return the texts in the language, or in English if there are none."""
        return self.texts.get(language[:2].lower(), self.texts["en"])

    def with_money(
        self, fields: Mapping[str, Any], change: Callable[[Decimal], Decimal]
    ) -> dict[str, Any]:
        """Return the fields with each amount converted by the given function."""
        return {key: self._with_money(key, value, change) for key, value in fields.items()}

    def _with_money(self, key: str, value: Any, change: Callable[[Decimal], Decimal]) -> Any:
        if key in self.priced:
            name = self.priced[key]
            return [{**item, name: change(item[name])} for item in value]
        known = self.fields.get(key)
        return change(value) if known is not None and known.parse is amount else value


def no_policy() -> Invalid:
    """Return the error for an item that is not insured, so that shops can test failed quotes."""
    return Invalid([NO_POLICY])


def optional_texts(*names: str) -> dict[str, Field]:
    """Return fields that accept any text or null."""
    return {name: Field(any_text, null=True) for name in names}


def needed(parse: Parser) -> Field:
    """Return a required field."""
    return Field(parse, required=True)


def benefit(
    key: str,
    terms: Terms,
    *,
    limit: Decimal | str,
    excess: Decimal | str | None = None,
) -> dict[str, Any]:
    """Return a benefit. `limit` and `excess` are amounts or keys of texts; `excess` may be None."""
    row: dict[str, Any] = {"text": key}
    for name, value in (("limit", limit), ("excess", excess)):
        if isinstance(value, Decimal):
            row[name] = value
            policy = money.converted(value, terms.currency, terms.policy_currency)
            row[f"{name}_policy_currency"] = policy
        elif value is not None:
            row[f"{name}_text"] = value
    return row
