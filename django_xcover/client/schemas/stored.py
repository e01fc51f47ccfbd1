"""Answers as they are stored: what is kept of them, and how it is read again.

Rows were written by many versions of XCover and of this package. So a field that is missing, or of
another form than expected, reads as "" or None: it costs that field and never a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django_xcover.client.errors import UnexpectedAnswer
from django_xcover.client.schemas.fields import Fields, T
from django_xcover.client.schemas.packages import InstalmentPlan, PackageAnswer
from django_xcover.client.schemas.policies import RenewalAnswer

# Answers about a booking repeat it, with the customer's data and links that open documents. All
# that is kept with the package.
OF_THE_BOOKING = frozenset(
    {"quotes", "policyholder", "partner", "coi", "pds_url", "account_url", "security_token"}
)
# What the confirmation of a renewal needs of each quote, and what the next period covers.
OF_THE_NEXT_PERIOD = (
    "id",
    "status",
    "price",
    "policy",
    "benefits",
    "policy_start_date",
    "policy_end_date",
)


class LenientFields(Fields):
    """Fields of which a malformed one reads as if it were missing."""

    __slots__ = ()

    @classmethod
    def of(cls, value: Any, path: str = "") -> LenientFields:
        """Return the fields of `value`, none when it is no object."""
        return cls(value if isinstance(value, Mapping) else {}, path)

    def optional(self, read: Callable[[Any], T], name: str) -> T | None:
        """Return the field through `read`, None when absent, null or malformed."""
        try:
            return super().optional(read, name)
        except UnexpectedAnswer:
            return None

    def below(self, name: str) -> LenientFields:
        """Return the object under `name`, an empty one when there is none."""
        return LenientFields.of(self.data.get(name), self.at(name))

    def rows(self, name: str) -> list[Fields]:
        """Return the objects in the list under `name`, [] when there is none."""
        values = self.data.get(name)
        return [LenientFields.of(value) for value in values] if isinstance(values, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class WordedAmount:
    """An amount with XCover's texts of it; often only one of the three is there."""

    amount: Decimal | None
    formatted: str
    description: str

    @classmethod
    def read(cls, fields: Fields, name: str) -> WordedAmount:
        """Return the amount called `name`."""
        return cls(
            amount=fields.amount(name),
            formatted=fields.text(f"{name}_formatted"),
            description=fields.text(f"{name}_description"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBenefit:
    """One thing the cover pays for."""

    description: str
    limit: WordedAmount
    excess: WordedAmount


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredQuote:
    """What a stored quote or policy says besides its columns. `disclaimer` may be HTML."""

    quote_id: str
    policy_type: str
    policy_name: str
    policy_version: str
    insurer: str
    description: str
    disclaimer: str
    price_formatted: str
    cover_amount: WordedAmount
    benefits: tuple[StoredBenefit, ...]
    pds_url: str = field(repr=False)
    instalment_plans: tuple[InstalmentPlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPolicyholder:
    """The customer as XCover knows them. `details` has every field, by the name XCover gives it.

    `changeable` names the fields that XCover says may be changed, none where it does not say.
    """

    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str = field(repr=False)
    changeable: tuple[str, ...]
    details: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPackage:
    """What a stored package or booking says besides its columns. Links may carry tokens."""

    currency: str
    policyholder: StoredPolicyholder
    pds_url: str = field(repr=False)
    coi_url: str = field(repr=False)
    coi_pdf: str = field(repr=False)
    account_url: str = field(repr=False)
    claim_url: str = field(repr=False)
    cancel_url: str = field(repr=False)
    security_token: str = field(repr=False)


def read_quote(payload: Any) -> StoredQuote:
    """Return what a stored quote says."""
    fields = LenientFields.of(payload)
    policy = fields.below("policy")
    content = policy.below("content")
    return StoredQuote(
        quote_id=fields.text("id"),
        policy_type=policy.text("policy_type"),
        policy_name=policy.text("policy_name"),
        policy_version=policy.text("policy_version"),
        insurer=policy.below("underwriter").text("name"),
        description=content.text("description"),
        disclaimer=content.text("disclaimer_html") or content.text("disclaimer"),
        price_formatted=fields.text("price_formatted"),
        cover_amount=WordedAmount.read(fields, "cover_amount"),
        benefits=tuple(_benefit(row) for row in fields.rows("benefits")),
        pds_url=fields.text("pds_url"),
        instalment_plans=tuple(_plan(row) for row in fields.rows("instalment_plans")),
    )


def read_package(payload: Any) -> StoredPackage:
    """Return what a stored package or booking says."""
    fields = LenientFields.of(payload)
    certificate = fields.below("coi")
    return StoredPackage(
        currency=fields.text("currency"),
        policyholder=read_policyholder(fields.data.get("policyholder")),
        pds_url=fields.text("pds_url"),
        coi_url=certificate.text("url"),
        coi_pdf=certificate.text("pdf"),
        account_url=fields.text("account_url"),
        claim_url=fields.text("fnol_link"),
        cancel_url=fields.text("cancel_link"),
        security_token=fields.text("security_token"),
    )


def read_policyholder(value: Any) -> StoredPolicyholder:
    """Return the customer as a stored answer, or the body of a booking, names them."""
    fields = LenientFields.of(value)
    named = fields.data.get("fields_allowed_to_update")
    return StoredPolicyholder(
        first_name=fields.text("first_name"),
        last_name=fields.text("last_name"),
        email=fields.text("email"),
        changeable=tuple(str(name) for name in named) if isinstance(named, list) else (),
        details=fields.data,
    )


def package_to_store(answer: PackageAnswer) -> dict[str, Any]:
    """Return what is stored of a package.

    The quotes keep their own part; keeping it twice would let the two disagree.
    """
    return {key: value for key, value in answer.raw.items() if key != "quotes"}


def without_booking(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an answer about a booking says besides the booking itself."""
    return {key: value for key, value in raw.items() if key not in OF_THE_BOOKING}


def renewal_to_store(answer: RenewalAnswer) -> dict[str, Any]:
    """Return what is stored of the price of a renewal: nothing about the customer."""
    quotes = [
        {key: quote.raw[key] for key in OF_THE_NEXT_PERIOD if key in quote.raw}
        for quote in answer.quotes
    ]
    return {"renewal_id": answer.renewal_id, "quotes": quotes}


def _benefit(fields: Fields) -> StoredBenefit:
    return StoredBenefit(
        description=fields.text("description"),
        limit=WordedAmount.read(fields, "limit"),
        excess=WordedAmount.read(fields, "excess"),
    )


def _plan(fields: Fields) -> InstalmentPlan:
    return InstalmentPlan(
        name=fields.text("name"),
        label=fields.text("label"),
        amount=fields.amount("amount"),
        first_instalment_amount=fields.amount("first_instalment_amount"),
    )
