"""Rows as the services would have written them, made by the ORM."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from django_xcover.mirror import search_terms
from django_xcover.models import (
    Cancellation,
    Choice,
    Decision,
    Discrepancy,
    Flag,
    Hold,
    Instalment,
    Modification,
    Operation,
    OperationKind,
    OperationState,
    OrderEvent,
    Quote,
    QuotePackage,
    Renewal,
    Status,
)

ALPHABET = "346789ABCDEFGHJKLMNPQRTUVWXY"
SECURITY_TOKEN = "aB1cD-eF2gH-iJ3kL-mN4oP"
SIGNUP_TOKEN = "wT1tB-Ry2N8-1zP3L-lnI4s"
SITE = "https://staging.xcover.com/en"
_numbers = count(1)


def make_staff(*permissions: str, name: str = "sam") -> User:
    """Return a member of staff with these permissions of the app ("view_quotepackage", …)."""
    user = User.objects.create_user(username=name, password="secret", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="xcover", codename__in=permissions)
    )
    return user


def make_package_id() -> str:
    """Return a package id in XCover's form, another one at each call."""
    number, letters = next(_numbers), ""
    for _ in range(10):
        number, rest = divmod(number, len(ALPHABET))
        letters = ALPHABET[rest] + letters
    return f"{letters[:5]}-{letters[5:]}-INS"


def make_package(**values: Any) -> QuotePackage:
    """Return a stored package; RECEIVED and without an order unless told otherwise."""
    package_id = values.pop("package_id", "") or make_package_id()
    defaults: dict[str, Any] = {
        "account": "default",
        "package_id": package_id,
        "status": Status.RECEIVED,
        "cart_reference": f"cart-{package_id}",
        "currency": "GBP",
        "total_price": Decimal("3.40"),
        "customer_country": "GB",
        "customer_language": "en",
        "quoted_at": timezone.now(),
        "payload": booking_payload(package_id),
    }
    package = QuotePackage.objects.create(**defaults | values)
    make_findable(package)
    return make_flag(package, package.attention).package if package.attention else package


def make_findable(package: QuotePackage) -> None:
    """Write the terms by which staff search, as the services do for an ordered package."""
    if package.order_reference:
        quotes = list(package.quotes.values_list("quote_id", flat=True))
        search_terms.replace(package, search_terms.terms_of(package, quotes), quotes)


def make_flag(package: QuotePackage, reason: str) -> Flag:
    """Return an open flag of `package`."""
    package.attention = reason
    package.save()
    return Flag.objects.create(package=package, reason=reason)


def make_quote(package: QuotePackage, **values: Any) -> Quote:
    """Return a stored quote of `package`, with its status."""
    defaults: dict[str, Any] = {
        "quote_id": str(uuid.uuid4()),
        "status": package.status,
        "label": "Harbour Lights Festival",
        "position": package.quotes.count(),
        "policy_type": "event_ticket_protection",
        "policy_name": "Missed Event Cover",
        "price": Decimal("3.40"),
        "policy_start_date": datetime(2026, 5, 1, 9, tzinfo=UTC),
        "policy_end_date": datetime(2026, 6, 20, 18, 30, tzinfo=UTC),
        "payload": {"price_formatted": "£3.40", "files": [{"url": f"{SITE}/file/1"}]},
    }
    return Quote.objects.create(package=package, **defaults | values)


def make_decision(quote: Quote, **values: Any) -> Decision:
    """Return a stored yes to `quote` at its price."""
    defaults: dict[str, Any] = {
        "choice": Choice.ACCEPTED,
        "price": quote.price,
        "currency": quote.package.currency,
        "locale": "en",
        "shown": {"name": quote.policy_name, "pds_url": f"{SITE}/pds/{quote.package}"},
        "wording_hash": "3f5a" * 16,
        "template_version": "1",
        "order_reference": quote.package.order_reference,
    }
    return Decision.objects.create(package=quote.package, quote=quote, **defaults | values)


def make_operation(package: QuotePackage, **values: Any) -> Operation:
    """Return a stored booking of `package` that is due now."""
    defaults: dict[str, Any] = {"kind": OperationKind.BOOK, "request": booking_request()}
    return Operation.objects.create(package=package, **defaults | values)


def make_stopped(package: QuotePackage, **error: Any) -> Operation:
    """Return a booking of `package` that needs a person because of `error`."""
    return make_operation(
        package,
        state=OperationState.NEEDS_PERSON,
        attempts=1,
        failures=1,
        error=refused(**error),
        outcome_known=error.get("outcome_known", True),
    )


def make_order(reference: str, *, status: str = Status.CONFIRMED) -> QuotePackage:
    """Return the package of an order whose two quotes were accepted, booked and done."""
    package = make_package(
        order_reference=reference,
        status=status,
        policyholder_email="ana@example.com",
        booked_at=timezone.now() if status == Status.CONFIRMED else None,
        total_price=Decimal("6.80"),
    )
    for label in ("Harbour Lights Festival", "Midnight Strings"):
        quote = make_quote(
            package, label=label, choice=Choice.ACCEPTED, chosen_price=Decimal("3.40")
        )
        make_decision(quote)
    return package


def make_cancellation(package: QuotePackage, **values: Any) -> Cancellation:
    """Return a stored preview of cancelling all of `package`, confirmable for a day."""
    quotes = list(package.quotes.all())
    lines = [
        {
            "quote_id": quote.quote_id,
            "price": str(quote.price),
            "refund": str(quote.price),
            "adjustment_fee": "0.91",
            "cooling_off_until": in_minutes(60 * 24 * 14).isoformat(),
        }
        for quote in quotes
    ]
    defaults: dict[str, Any] = {
        "cancellation_id": f"aB3dE-fGh4J-k5L{next(_numbers):02}-CCL",
        "origin": Cancellation.Origin.STAFF,
        "reason": "Bought twice",
        "lines": lines,
        "total_refund": sum((quote.price for quote in quotes), Decimal(0)),
        "currency": package.currency,
        "confirm_before": in_minutes(60 * 24),
    }
    cancellation = Cancellation.objects.create(package=package, **defaults | values)
    cancellation.quotes.set(quotes)
    return cancellation


def make_cancelled(package: QuotePackage, **values: Any) -> Cancellation:
    """Return a cancellation that XCover has carried out and whose refund is not recorded."""
    done = {"state": Cancellation.State.CONFIRMED, "confirmed_at": timezone.now()}
    return make_cancellation(package, **done | values)


def make_modification(package: QuotePackage, **values: Any) -> Modification:
    """Return a stored change that costs £1.20 more and is quoted."""
    defaults: dict[str, Any] = {
        "update_id": f"aB3dE-fGh4J-k5L{next(_numbers):02}-UPD",
        "origin": "staff",
        "changes": {"policyholder": {"phone": "+447700900123", "first_name": "Ana"}},
        "price_before": Decimal("6.80"),
        "price_after": Decimal("8.00"),
        "price_diff": Decimal("1.20"),
        "currency": package.currency,
    }
    return Modification.objects.create(package=package, **defaults | values)


def make_discrepancy(package: QuotePackage, **values: Any) -> Discrepancy:
    """Return £3.40 that were paid for cover that XCover does not have."""
    defaults: dict[str, Any] = {
        "account": package.account,
        "kind": Discrepancy.Kind.NOT_COVERED,
        "package_id": package.package_id,
        "order_reference": package.order_reference,
        "currency": package.currency,
        "ours": Decimal("3.40"),
        "at_stake": Decimal("3.40"),
        "here": package.status,
    }
    return Discrepancy.objects.create(**defaults | values)


def make_hold(package: QuotePackage | None, **values: Any) -> Hold:
    """Return a premium that was frozen for the order that has the package."""
    facts: dict[str, Any] = {
        "account": "default",
        "cart_reference": "cart",
        "package": package,
        "amount": Decimal("7.89"),
        "currency": "GBP",
        "choices": [{"quote": "q", "choice": "accepted", "price": "7.89", "plan": ""}],
        "order_reference": package.order_reference if package else "SH-1001",
        "expires_at": in_minutes(30),
        "taken_at": in_minutes(0),
    }
    return Hold.objects.create(**facts | values)


def make_renewal(package: QuotePackage, **values: Any) -> Renewal:
    """Return a stored renewal that is quoted at £7.10 and due in a week."""
    defaults: dict[str, Any] = {
        "renewal_id": f"aB3dE-fGh4J-k5L{next(_numbers):02}-UPD",
        "state": Renewal.State.QUOTED,
        "due_on": in_minutes(60 * 24 * 7),
        "price": Decimal("7.10"),
        "currency": package.currency,
    }
    facts = defaults | values
    period = {"id": str(uuid.uuid4()), "status": "RECEIVED", "price": str(facts["price"])}
    payload = {"renewal_id": facts["renewal_id"], "quotes": [period | {"policy": {}}]}
    return Renewal.objects.create(package=package, **{"payload": payload} | facts)


def make_instalment(quote: Quote, number: int = 1, **values: Any) -> Instalment:
    """Return a stored instalment of £0.17, unpaid and due in as many days as its number."""
    defaults: dict[str, Any] = {
        "instalment_id": str(uuid.uuid4()),
        "period_start_date": in_minutes(60 * 24 * number),
        "period_end_date": in_minutes(60 * 24 * (number + 30)),
        "total_amount": Decimal("0.17"),
        "currency": quote.package.currency,
    }
    return Instalment.objects.create(quote=quote, number=number, **defaults | values)


def make_finished(package: QuotePackage, **values: Any) -> Operation:
    """Return a booking of `package` that is done."""
    done = {"state": OperationState.DONE, "attempts": 1, "request": {}}
    operation = make_operation(package, **done | values)
    operation.finished_at = timezone.now()
    operation.save()
    return operation


def refused(**values: Any) -> dict[str, Any]:
    """Return the error an operation keeps after XCover refused its data."""
    defaults: dict[str, Any] = {
        "type": "validation_failed",
        "message": "An API error occurred.",
        "permanent": True,
        "outcome_known": True,
        "status": 422,
        "vendor_type": "validation_error",
        "code": "",
        "field_errors": {
            "policyholder.phone": ['The phone number should start with "+" character']
        },
        "retry_after": 0.0,
    }
    return defaults | values


def in_minutes(minutes: float) -> datetime:
    """Return the moment that many minutes from now."""
    return timezone.now() + timedelta(minutes=minutes)


def booking_request() -> dict[str, Any]:
    """Return the body of a booking."""
    return {
        "quotes": [{"id": "7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11"}],
        "policyholder": {
            "first_name": "Ana",
            "last_name": "Rossi",
            "email": "ana@example.com",
            "country": "GB",
            "phone": "447700900123",
            "birth_date": "1985-02-03",
            "address1": "1 Quay Street",
        },
        "partner_transaction_id": "SH-1001",
    }


def booking_payload(package_id: str) -> dict[str, Any]:
    """Return XCover's booking answer without its quotes (Quotes API: booking answer)."""
    return {
        "id": package_id,
        "status": "CONFIRMED",
        "currency": "GBP",
        "total_price": "3.40",
        "security_token": SECURITY_TOKEN,
        "pds_url": f"{SITE}/pds/{package_id}",
        "coi": {"url": f"{SITE}/coi/{package_id}?security_token={SECURITY_TOKEN}"},
        "account_url": f"{SITE}/account?id=1&signup_token={SIGNUP_TOKEN}",
        "fnol_link": f"{SITE}/account/claims/fnol?security_token={SECURITY_TOKEN}",
        "cancel_link": f"{SITE}/cancel/{package_id}?security_token={SECURITY_TOKEN}",
        "sign_up_url": f"{SITE}/signup/abc",
        "policyholder": {
            "first_name": "Ana",
            "last_name": "Rossi",
            "email": "ana@example.com",
            "phone": "+447700900123",
            "country": "GB",
            "birth_date": "1985-02-03",
            "address1": "1 Quay Street",
        },
        "partner": {
            "id": "SHOP1",
            "name": "Box Office",
            "emails": [{"bcc_email": "insurance-desk@partner.example"}],
            "subsidiary": {"emails": [{"from_email": "inner@partner.example"}]},
        },
    }


def make_order_event(**values: Any) -> OrderEvent:
    """Return an order that waits for a person, because the adapter failed too often."""
    facts = {
        "order_reference": "SH-1001",
        "kind": OrderEvent.Kind.COMPLETED,
        "state": OrderEvent.State.NEEDS_PERSON,
    }
    return OrderEvent.objects.create(**facts | values)
