"""Stored responses: which parts are kept, and typed access to them.

Rows were written by many versions of XCover and of this package. So a missing or malformed field
reads as "" or None instead of raising, and never breaks a page.
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

# Responses about a booking repeat it, with the customer's data and links that open documents. The
# package already stores all that.
OF_THE_BOOKING = frozenset(
    {"quotes", "policyholder", "partner", "coi", "pds_url", "account_url", "security_token"}
)
# The fields of each quote that describe the next period and that a confirmation needs.
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
    """Fields that treat a malformed value as missing."""

    __slots__ = ()

    @classmethod
    def of(cls, value: Any, path: str = "") -> LenientFields:
        """Return the fields of `value`, or no fields if it is not an object."""
        return cls(value if isinstance(value, Mapping) else {}, path)

    def optional(self, read: Callable[[Any], T], name: str) -> T | None:
        """Return the field as `read` converts it, or None if absent, null or malformed."""
        try:
            return super().optional(read, name)
        except UnexpectedAnswer:
            return None

    def below(self, name: str) -> LenientFields:
        """Return the object under `name`, or an empty one if there is none."""
        return LenientFields.of(self.data.get(name), self.at(name))

    def rows(self, name: str) -> list[Fields]:
        """Return the objects in the list under `name`, or [] if there is none."""
        values = self.data.get(name)
        return [LenientFields.of(value) for value in values] if isinstance(values, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class WordedAmount:
    """An amount with XCover's texts for it. Often only one of the three is present."""

    amount: Decimal | None
    formatted: str
    description: str

    @classmethod
    def read(cls, fields: Fields, name: str) -> WordedAmount:
        """Return the amount under `name` with its texts."""
        return cls(
            amount=fields.amount(name),
            formatted=fields.text(f"{name}_formatted"),
            description=fields.text(f"{name}_description"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBenefit:
    """One benefit of the cover."""

    description: str
    limit: WordedAmount
    excess: WordedAmount


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document that came with a quote, such as the insurance product information document."""

    name: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredQuote:
    """The fields of a stored quote or policy that have no column. `disclaimer` may be HTML."""

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
    documents: tuple[StoredDocument, ...] = field(repr=False)
    instalment_plans: tuple[InstalmentPlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPolicyholder:
    """The policyholder in XCover's data. `details` has every field under XCover's name.

    `changeable` names the fields that XCover allows to be changed. It is empty if XCover lists
    none.
    """

    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str = field(repr=False)
    changeable: tuple[str, ...]
    details: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPackage:
    """The fields of a stored package or booking that have no column. Links may contain tokens."""

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
    """Return the fields of a stored quote."""
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
        documents=tuple(
            StoredDocument(name=row.text("name"), url=row.text("url"))
            for row in (*fields.rows("files"), *fields.rows("attachments"))
        ),
        instalment_plans=tuple(_plan(row) for row in fields.rows("instalment_plans")),
    )


def read_package(payload: Any) -> StoredPackage:
    """Return the fields of a stored package or booking."""
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
    """Return the policyholder in a stored response or in the body of a booking."""
    fields = LenientFields.of(value)
    names = fields.data.get("fields_allowed_to_update")
    return StoredPolicyholder(
        first_name=fields.text("first_name"),
        last_name=fields.text("last_name"),
        email=fields.text("email"),
        changeable=tuple(str(name) for name in names) if isinstance(names, list) else (),
        details=fields.data,
    )


def package_to_store(answer: PackageAnswer) -> dict[str, Any]:
    """Return the part of a response that is stored with a package.

    The quotes are left out. They store their own part, and two copies could disagree.
    """
    return {key: value for key, value in answer.raw.items() if key != "quotes"}


def without_booking(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response about a booking without the booking itself."""
    return {key: value for key, value in raw.items() if key not in OF_THE_BOOKING}


def renewal_to_store(answer: RenewalAnswer) -> dict[str, Any]:
    """Return the part of a renewal's price that is stored, without data about the customer."""
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
