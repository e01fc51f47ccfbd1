"""Factories for quote packages, quotes, policies, decisions, holds and search terms."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from factory import (
    LazyAttribute,
    LazyFunction,
    RelatedFactory,
    SelfAttribute,
    Sequence,
    SubFactory,
    Trait,
)
from factory.django import DjangoModelFactory

from django_xcover.mirror import search_terms
from django_xcover.mirror.presentation import evidence, present
from django_xcover.models import (
    Choice,
    Decision,
    Hold,
    Policy,
    Quote,
    QuotePackage,
    SearchTerm,
    Status,
)
from django_xcover.testing.factories import answers
from django_xcover.testing.factories.declarations import (
    NOW,
    after,
    new_package_id,
    new_uuid,
)

QuoteT = TypeVar("QuoteT", Quote, Policy)
PRICE = Decimal("3.40")
YEAR = 365
# Dotted paths of factories that themselves use those in this module, or are defined below.
DECISION = "django_xcover.testing.factories.packages.DecisionFactory"
POLICY = "django_xcover.testing.factories.packages.PolicyFactory"
HOLD = "django_xcover.testing.factories.packages.HoldFactory"
FLAG = "django_xcover.testing.factories.records.FlagFactory"


class QuotePackageFactory(DjangoModelFactory[QuotePackage]):
    """A quote package with one quote per label in `labels`, each at `price`.

    It is open and unanswered unless a trait sets another state. `renewed` adds a second policy for
    each label: the next period, with the first one renewed. `labels=()` creates a package
    without quotes, to which `QuoteFactory.create(package=...)` can add quotes at any price.
    """

    class Meta:
        model = QuotePackage
        skip_postgeneration_save = True

    class Params:
        accepted = Trait(choice=Choice.ACCEPTED)
        declined = Trait(choice=Choice.DECLINED)
        in_parts = Trait(accepted=True, instalment_plan=answers.PLAN)
        held = Trait(
            accepted=True,
            held_until=after(minutes=30),
            hold=RelatedFactory(HOLD, "package"),
        )
        ordered = Trait(
            accepted=True,
            order_reference=Sequence(lambda number: f"SH-{number + 1001}"),
            policyholder_email=answers.POLICYHOLDER["email"],
        )
        pending_payment = Trait(ordered=True, status=Status.PENDING_PAYMENT, booked_at=NOW)
        booked = Trait(ordered=True, status=Status.CONFIRMED, booked_at=NOW)
        cancelled = Trait(booked=True, status=Status.CANCELLED)
        two_quotes = Trait(labels=("Harbour Lights Festival", "Midnight Strings"))
        partly_cancelled = Trait(booked=True, two_quotes=True, cancelled_quotes=1)
        renewed = Trait(
            booked=True,
            renewable=True,
            two_periods=True,
            quoted_at=after(days=-YEAR),
            booked_at=SelfAttribute("quoted_at"),
        )
        opted_out = Trait(
            declined=True,
            status=Status.OPTED_OUT,
            order_reference=Sequence(lambda number: f"SH-{number + 1001}"),
        )
        failed = Trait(ordered=True, status=Status.FAILED)
        expired = Trait(status=Status.EXPIRED)
        deleted = Trait(status=Status.DELETED)
        provisional = Trait(ordered=True, package_id=LazyFunction(lambda: f"instant-{new_uuid()}"))
        flagged = Trait(flag=RelatedFactory(FLAG, "package"))

    # Parameters of the quotes, not columns of the package.
    labels: Any = ("Harbour Lights Festival",)
    price: Any = PRICE
    choice: Any = ""
    instalment_plan: Any = ""
    renewable: Any = False
    cancelled_quotes: Any = 0
    two_periods: Any = False

    account = "default"
    package_id = LazyFunction(new_package_id)
    status: Any = Status.RECEIVED
    cart_reference: Any = LazyAttribute(lambda row: f"cart-{row.package_id}")
    fingerprint: Any = LazyAttribute(
        lambda row: hashlib.sha256(row.cart_reference.encode()).hexdigest()
    )
    order_reference: Any = ""
    currency = "GBP"
    total_price: Any = LazyAttribute(lambda row: row.price * _in_force(row))
    customer_country = "GB"
    customer_language = "en"
    quoted_at: Any = NOW
    booked_at: Any = None
    payload: Any = LazyAttribute(answers.package)

    @classmethod
    def _create(cls, model_class: type[QuotePackage], *args: Any, **values: Any) -> QuotePackage:
        quotes = _pop_quotes(values)
        package = model_class.objects.create(**values)
        for position, quote in enumerate(quotes):
            QuoteFactory.create(package=package, position=position, **quote)
        if package.order_reference:
            ids = list(package.quotes.values_list("quote_id", flat=True))
            search_terms.replace(package, search_terms.terms_of(package, ids), ids)
        return package

    @classmethod
    def _build(cls, model_class: type[QuotePackage], *args: Any, **values: Any) -> QuotePackage:
        _pop_quotes(values)
        return model_class(**values)


def _in_force(row: Any) -> int:
    """Return the number of quotes in the total. XCover's is 0 after a cancellation (recorded)."""
    ended = {Status.CANCELLED, Status.FAILED, Status.DELETED, Status.EXPIRED}
    return 0 if row.status in ended else len(row.labels) - row.cancelled_quotes


def _pop_quotes(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Remove the parameters of the quotes from `values` and return the values of each quote."""
    labels, cancelled = values.pop("labels"), values.pop("cancelled_quotes")
    shared = {
        "price": values.pop("price"),
        "choice": values.pop("choice"),
        "instalment_plan": values.pop("instalment_plan"),
        "is_renewable": values.pop("renewable"),
    }
    shared["on_record"] = bool(shared["choice"])
    quotes = [shared | {"label": label, "status": values["status"]} for label in labels]
    for quote in quotes[len(quotes) - cancelled :]:
        quote["status"] = Status.CANCELLED
    return _renewed(quotes, values["quoted_at"]) if values.pop("two_periods") else quotes


def _renewed(quotes: list[dict[str, Any]], start: datetime) -> list[dict[str, Any]]:
    """Return the renewed policies and those that follow. Only the first were decided by a shopper.

    The next period keeps the cart line, as XCover gives it new ids.
    """
    end = start + timedelta(days=YEAR)
    first = {"status": Status.RENEWED, "policy_start_date": start, "policy_end_date": end}
    following = {
        "on_record": False,
        "policy_start_date": end,
        "policy_end_date": end + timedelta(days=YEAR),
    }
    lines = [quote | {"line_reference": f"line-{n}"} for n, quote in enumerate(quotes)]
    return [line | first for line in lines] + [line | following for line in lines]


def _package_of_one(**traits: Any) -> Any:
    """Declare a package for a single quote, with the quote's price as its total."""
    return SubFactory(
        QuotePackageFactory,
        labels=(),
        total_price=SelfAttribute("..price_in_force"),
        **traits,
    )


class _AnyQuoteFactory(DjangoModelFactory[QuoteT]):
    """The columns of quotes and policies. `price_in_force` is their part of the package's total."""

    class Meta:
        abstract = True
        skip_postgeneration_save = True

    class Params:
        price_in_force = LazyAttribute(lambda row: row.price)
        on_record = Trait(decision=RelatedFactory(DECISION, "quote"))

    package: Any = _package_of_one()
    quote_id = LazyFunction(new_uuid)
    status: Any = LazyAttribute(lambda row: row.package.status)
    line_reference = LazyAttribute(lambda row: f"line-{row.position}")
    label = "Harbour Lights Festival"
    position: Any = LazyAttribute(lambda row: row.package.quotes.count() if row.package.pk else 0)
    policy_type = "event_ticket_protection"
    policy_name = "Missed Event Cover"
    price: Any = PRICE
    choice: Any = ""
    chosen_price: Any = LazyAttribute(lambda row: row.price if row.choice else None)
    instalment_plan: Any = ""
    can_be_cancelled: Any = LazyAttribute(
        lambda row: row.status in {Status.PENDING_PAYMENT, Status.CONFIRMED}
    )
    is_renewable: Any = False
    policy_start_date: Any = LazyAttribute(lambda row: row.package.quoted_at)
    policy_end_date: Any = LazyAttribute(lambda row: row.policy_start_date + timedelta(days=90))
    request = LazyAttribute(lambda row: {"policy_type": row.policy_type, "name": row.label})
    payload: Any = LazyAttribute(answers.quote)


class QuoteFactory(_AnyQuoteFactory[Quote]):
    """A quote with the status of its package. Unanswered unless a trait sets another state."""

    class Meta:
        model = Quote

    class Params:
        accepted = Trait(choice=Choice.ACCEPTED, on_record=True)
        declined = Trait(choice=Choice.DECLINED, on_record=True)
        in_parts = Trait(accepted=True, instalment_plan=answers.PLAN)
        lapsed = Trait(
            lapsed_price=LazyAttribute(lambda row: row.price - Decimal("0.40")),
            lapsed_currency=LazyAttribute(lambda row: row.package.currency),
            decision=RelatedFactory(DECISION, "quote", choice=Choice.LAPSED),
        )
        withdrawn = Trait(
            choice=Choice.WITHDRAWN, on_record=True, package=_package_of_one(ordered=True)
        )
        opted_out = Trait(declined=True, package=_package_of_one(opted_out=True))
        failed = Trait(
            accepted=True, price_in_force=Decimal(0), package=_package_of_one(failed=True)
        )
        expired = Trait(price_in_force=Decimal(0), package=_package_of_one(expired=True))
        deleted = Trait(price_in_force=Decimal(0), package=_package_of_one(deleted=True))


class PolicyFactory(_AnyQuoteFactory[Policy]):
    """A policy in force with its own booking, unless a trait or `package` sets another."""

    class Meta:
        model = Policy

    class Params:
        in_parts = Trait(instalment_plan=answers.PLAN)
        pending_payment = Trait(package=_package_of_one(pending_payment=True))
        cancelled = Trait(price_in_force=Decimal(0), package=_package_of_one(cancelled=True))
        renewed = Trait(
            is_renewable=True,
            status=Status.RENEWED,
            policy_end_date=LazyAttribute(lambda row: row.policy_start_date + timedelta(days=YEAR)),
            package=_package_of_one(renewed=True),
            successor=RelatedFactory(
                POLICY,
                package=SelfAttribute("..package"),
                line_reference=SelfAttribute("..line_reference"),
                label=SelfAttribute("..label"),
                price=SelfAttribute("..price"),
                is_renewable=True,
                policy_start_date=SelfAttribute("..policy_end_date"),
                policy_end_date=LazyAttribute(
                    lambda row: row.policy_start_date + timedelta(days=YEAR)
                ),
                decision=None,
            ),
        )

    package: Any = _package_of_one(booked=True)
    choice: Any = Choice.ACCEPTED
    decision = RelatedFactory(DECISION, "quote")


class DecisionFactory(DjangoModelFactory[Decision]):
    """A recorded answer to one quote, with the content that was shown."""

    class Meta:
        model = Decision

    class Params:
        declined = Trait(quote=SubFactory(QuoteFactory, choice=Choice.DECLINED))
        unanswered = Trait(quote=SubFactory(QuoteFactory), choice=Choice.UNANSWERED)
        lapsed = Trait(quote=SubFactory(QuoteFactory), choice=Choice.LAPSED)
        withdrawn = Trait(quote=SubFactory(QuoteFactory, choice=Choice.WITHDRAWN))

    quote: Any = SubFactory(QuoteFactory, choice=Choice.ACCEPTED)
    package = SelfAttribute("quote.package")
    choice: Any = LazyAttribute(lambda row: row.quote.choice or Choice.ACCEPTED)
    price = SelfAttribute("quote.price")
    currency = SelfAttribute("package.currency")
    instalment_plan: Any = LazyAttribute(
        lambda row: row.quote.instalment_plan if row.choice == Choice.ACCEPTED else ""
    )
    locale = SelfAttribute("package.customer_language")
    shown: Any = LazyAttribute(lambda row: evidence(present(row.quote)))
    wording_hash = LazyAttribute(
        lambda row: hashlib.sha256(json.dumps(row.shown, sort_keys=True).encode()).hexdigest()
    )
    template_version = "1"
    order_reference = SelfAttribute("package.order_reference")


class HoldFactory(DjangoModelFactory[Hold]):
    """The frozen premium of a cart. Live unless a trait sets another state."""

    class Meta:
        model = Hold

    class Params:
        expired = Trait(expires_at=after(minutes=-5))
        no_order = Trait(expired=True, reported_at=NOW)
        released = Trait(released_at=NOW, package=SubFactory(QuotePackageFactory, accepted=True))
        taken = Trait(
            taken_at=NOW,
            package=SubFactory(QuotePackageFactory, ordered=True),
            order_reference=SelfAttribute("package.order_reference"),
        )
        not_covered = Trait(taken=True, reported_at=NOW)
        without_cover = Trait(package=None, amount=None, currency="", choices=[])

    account = LazyAttribute(lambda row: row.package.account if row.package else "default")
    package: Any = SubFactory(
        QuotePackageFactory, accepted=True, held_until=SelfAttribute("..expires_at")
    )
    cart_reference = LazyAttribute(
        lambda row: row.package.cart_reference if row.package else f"cart-{new_package_id()}"
    )
    fingerprint = LazyAttribute(lambda row: row.package.fingerprint if row.package else "")
    amount: Any = LazyAttribute(lambda row: sum(price for _, price in _accepted(row.package)))
    currency: Any = LazyAttribute(lambda row: row.package.currency)
    choices: Any = LazyAttribute(lambda row: _choices(row.package))
    expires_at: Any = after(minutes=30)


def _accepted(package: QuotePackage) -> list[tuple[Quote, Decimal]]:
    """Return each accepted quote with the amount due now: its price, or its first instalment."""
    return [
        (row, answers.instalment_amount(row.price) if row.instalment_plan else row.price)
        for row in package.quotes.accepted()
    ]


def _choices(package: QuotePackage) -> list[dict[str, str]]:
    return [
        {
            "quote": row.quote_id,
            "choice": row.choice,
            "price": str(row.price),
            "plan": row.instalment_plan,
        }
        for row in package.quotes.all()
    ]


class SearchTermFactory(DjangoModelFactory[SearchTerm]):
    """An additional search term of a package."""

    class Meta:
        model = SearchTerm

    package: Any = SubFactory(QuotePackageFactory, ordered=True)
    term = Sequence(lambda number: f"nickname{number}")
