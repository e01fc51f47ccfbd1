"""PUBLIC: the value types that an adapter returns and that the package's functions use.

`repr()` leaves out what a customer typed, because error reporters print it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django_xcover import values
from django_xcover.tracebacks import methods_clear_frames
from django_xcover.values import normalise_phone, normalise_postcode

__all__ = [
    "Due",
    "Money",
    "PolicyRequest",
    "Policyholder",
    "QuoteRequest",
    "normalise_phone",
    "normalise_postcode",
]


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount in one ISO 4217 currency."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"Money takes a Decimal amount, not {type(self.amount).__name__}.")

    def __add__(self, other: Money) -> Money:
        """Return the sum. Raise ValueError for two different currencies."""
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added.")
        return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An amount a shopper still has to pay for cover.

    `kind` is "renewal", "instalment", "modification" or "after_sale" (cover added to an order,
    which is booked once it is paid). Together with `reference` it identifies the payment and makes
    a good idempotency key for the shop's payment provider. `label` describes the insured item.
    """

    kind: str
    reference: str
    order_reference: str
    label: str
    amount: Money


@methods_clear_frames
@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest:
    """One item to insure: an item of `request` in XCover's quote call.

    `reference` identifies the cart line and must be unique within the cart. `label` is its name for
    the shopper ("Harbour Lights Festival"). Neither is sent. `fields` are the policy type's own
    fields (`event_name`, `tickets`, …), with Decimal for amounts and aware datetimes. Without
    `policy_start_date` cover starts when it is quoted. `currency` is that of the amounts in
    `fields`; if it is given, it must be the currency of the `QuoteRequest`.
    `django_xcover.policy_requests` builds the requests of the usual policy types.

    Texts may have any type with a string form: Enum members, UUIDs, lazy translations, a `Country`.
    For other types `UnusableValue` is raised, which names the attribute.
    """

    reference: str
    label: str = ""
    policy_type: str
    policy_type_version: int | str = 1
    policy_start_date: datetime | None = None
    currency: str = ""
    fields: Mapping[str, object] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _set(
            self,
            reference=values.reference(self.reference, _of(self, "reference")),
            label=values.optional_text(self.label, _of(self, "label")),
            policy_type=values.text(self.policy_type, _of(self, "policy_type")),
            policy_type_version=values.plain(
                self.policy_type_version, _of(self, "policy_type_version")
            ),
            currency=values.optional_text(self.currency, _of(self, "currency"), longest=3),
            fields=values.plain(self.fields, _of(self, "fields")),
        )


@methods_clear_frames
@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest:
    """The items of one cart to quote, and the customer's locale.

    `currency` is an ISO 4217 code, `customer_country` ISO 3166-1 alpha-2, `customer_language`
    ISO 639-1 with an optional lower-case variant such as `en-us` (Quotes API: data formats).
    """

    currency: str
    customer_country: str
    customer_language: str
    items: tuple[PolicyRequest, ...]
    customer_region: str | None = field(default=None, repr=False)
    customer_postcode: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        language = values.text(self.customer_language, _of(self, "customer_language"), longest=10)
        country = values.text(self.customer_country, _of(self, "customer_country"), longest=2)
        region = values.optional_text(self.customer_region, _of(self, "customer_region"))
        _set(
            self,
            currency=values.text(self.currency, _of(self, "currency"), longest=3),
            customer_country=country,
            customer_language=language,
            customer_region=region or None,
            customer_postcode=normalise_postcode(self.customer_postcode, country) or None,
            items=tuple(self.items),
        )
        if any(item.currency not in {"", self.currency} for item in self.items):
            raise values.UnusableValue(
                f"An item of QuoteRequest.items has amounts that are not in {self.currency}."
            )


@methods_clear_frames
@dataclass(frozen=True, slots=True, kw_only=True)
class Policyholder:
    """The person who takes out the cover, with the fields of XCover's booking call.

    Empty optional fields are left out of the call, because for `region` an absent key and a null
    have different meanings. `phone` is normalised to the form that XCover accepts, starting with
    `+` and the country code. It is left out if it cannot be read, because XCover refuses the whole
    booking for one bad number. Numbers without a country code are read as numbers of `country`.

    Texts may have any type with a string form: a `PhoneNumber`, a `Country`, a lazy translation.
    For other types `UnusableValue` is raised, which names the attribute.
    """

    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str = field(repr=False)
    country: str
    phone: str = field(default="", repr=False)
    age: int | None = field(default=None, repr=False)
    birth_date: date | str = field(default="", repr=False)
    address1: str = field(default="", repr=False)
    address2: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)
    region: str = field(default="", repr=False)
    company: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        country = values.text(self.country, _of(self, "country"))
        required = ("first_name", "last_name", "email")
        optional = ("address1", "address2", "city", "region", "company")
        born = self.birth_date
        _set(
            self,
            country=country,
            **{name: values.text(getattr(self, name), _of(self, name)) for name in required},
            **{
                name: values.optional_text(getattr(self, name), _of(self, name))
                for name in optional
            },
            # Only the date of a datetime, because XCover expects a date.
            birth_date=values.optional_text(
                born.date() if isinstance(born, datetime) else born, _of(self, "birth_date")
            ),
            phone=normalise_phone(self.phone, country),
            postcode=normalise_postcode(self.postcode, country),
            age=values.whole_number(self.age, _of(self, "age")),
        )


def _of(owner: object, name: str) -> str:
    return f"{type(owner).__name__}.{name}"


def _set(owner: object, **attributes: object) -> None:
    for name, value in attributes.items():
        object.__setattr__(owner, name, value)
