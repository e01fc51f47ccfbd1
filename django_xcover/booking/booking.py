"""Book the accepted quotes, confirm what is paid later, and take back what isn't booked yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import transaction

from django_xcover import safe_logging, validators
from django_xcover.adapters import get_adapter
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire
from django_xcover.client.schemas.requests import without_quotes
from django_xcover.client.schemas.stored import read_policyholder
from django_xcover.clients import factory
from django_xcover.exceptions import CardNumberSent
from django_xcover.mirror import decisions, packages, refresh, request_bodies, search_terms
from django_xcover.models import (
    BOOKED,
    Attention,
    Choice,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.models.operation import PAYING, UNPAID
from django_xcover.offers import carts
from django_xcover.outbox import lease, operations
from django_xcover.outbox.failures import CannotPerform, Obsolete, OutcomeUnknown, after_post
from django_xcover.types import Policyholder
from django_xcover.values import UnusableValue

logger = safe_logging.get_logger("django_xcover.booking")


def body(package: QuotePackage, order: Any) -> dict[str, Any]:
    """Return the part of a booking's body that depends on the shop's `order`.

    With dual payment it contains a `customer_token_id`, and the call charges that card. The e-mail
    address is stored with the package. Raises CannotPerform if a name or an address contains a card
    number, or if XCover is to charge a card and there is no token yet.
    """
    token = package.customer_token_id
    if not token and get_adapter().charged_by_xcover(order):
        # XCover would take a booking without a token for one that the shop has charged.
        raise CannotPerform(
            "XCover charges the customer's card for this cover, and has no card yet. Ask the "
            "customer to enter one on the page of the order."
        )
    person = policyholder(order)
    _keep_findable(package, person)
    return {
        "policyholder": person,
        "partner_transaction_id": package.order_reference,
        **({"customer_token_id": token} if token else {}),
    }


def attempt(package: QuotePackage, build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the result of `build`, {} if it fails.

    The shop's order must go through. With {}, the body is built when the booking runs, and a
    failure then needs a person.
    """
    try:
        # A savepoint, so that a failing query in the adapter doesn't break the shop's transaction.
        with transaction.atomic():
            return build()
    except Exception as error:  # noqa: BLE001 - the shop's code; its order must go through
        # Not `exception`: its traceback would quote what the customer typed.
        logger.error(  # noqa: TRY400
            "The cover of order %s (package %s) cannot be booked yet: %s",
            package.order_reference,
            package,
            safe_logging.describe(error),
        )
        return {}


def policyholder(order: Any) -> dict[str, Any]:
    """Return the `policyholder` object for the shop's `order`; refuse card numbers in it."""
    holder: object = get_adapter().get_policyholder(order)
    if not isinstance(holder, Policyholder):
        kind = type(holder).__name__
        raise UnusableValue(f"get_policyholder returned a {kind} and not a Policyholder.")
    person = request_bodies.policyholder_payload(holder)
    try:
        validators.refuse(person)
    except CardNumberSent as refusal:
        raise CannotPerform(
            f"The policyholder's {refusal.field} contains a card number. Remove it from the order."
        ) from None
    return person


def _keep_findable(package: QuotePackage, person: dict[str, Any]) -> None:
    """Make the package searchable by the name and address that are sent with its booking.

    XCover's answer replaces them later. Customers also call about orders that aren't booked yet.
    """
    known = read_policyholder(person)
    if package.booked_at is None and len(known.email) <= packages.LONGEST_EMAIL:
        package.policyholder_email = known.email
        package.save(update_fields=["policyholder_email", "updated_at"])
        search_terms.add(package, known)


def order_of(package: QuotePackage) -> Any:
    """Return the shop's order of `package`; raise CannotPerform if the shop no longer has it."""
    order = get_adapter().get_order(package.order_reference)
    if order is None:
        raise CannotPerform(
            f"The shop no longer has order {package.order_reference}, so there is no policyholder."
        )
    return order


# A webhook may store the booking before the operation that made it has ended.
BOOKABLE = (Status.RECEIVED, Status.PENDING_PAYMENT, Status.CONFIRMED)


def enqueue(package: QuotePackage, order: Any, *, paid: bool) -> Operation:
    """Enqueue the booking of the accepted quotes in `package` for `order`.

    The body is frozen now, with the policyholder as of the payment. If the shop can't provide a
    policyholder, the operation is enqueued without a body, and fails for a person when it runs.
    """
    subject = "" if paid else UNPAID
    accepted = [q for q in carts.lock_quotes(package) if q.choice == Choice.ACCEPTED]
    request = attempt(package, lambda: _build(package, order, subject, accepted))
    return operations.enqueue(package, OperationKind.BOOK, subject=subject, request=request)


def perform(operation: Operation) -> PackageAnswer:
    """Book at XCover, outside any transaction, and return the booking.

    On a retry, the package is read before it is posted again: the outcome may be unknown, and
    XCover remembers an idempotency key only for 48 hours. Raises XCoverError, CannotPerform if the
    shop's data can't be booked, and OutcomeUnknown if the answer leaves the outcome open.
    """
    package = operation.package
    client = factory.client_for(package.account)
    if operation.attempts > 1:
        shown = refresh.find(client, package.package_id)
        if shown is not None and shown.status in {*BOOKED, Status.FAILED}:
            return shown
        if shown is not None:
            _note(package, shown)
    _require_choice(package)
    _require_offer(package)
    if not operation.request:
        accepted = package.quotes.offered().accepted().order_by("position")
        request = _build(package, order_of(package), operation.subject, accepted)
        operations.keep_request(operation, request)
    wire = client.create_booking(
        package.package_id, operation.request, idempotency_key=operation.idempotency_key
    )
    return _complete(client, package, package_from_wire(wire))


def perform_confirmation(operation: Operation) -> PackageAnswer:
    """Confirm the payment of a pending booking at XCover, and return the booking."""
    package_id = operation.package.package_id
    client = factory.client_for(operation.package.account)
    if operation.attempts > 1:
        booked = refresh.read_booking(client, package_id)
        if booked is not None and booked.status != Status.PENDING_PAYMENT:
            return booked
    _require_choice(operation.package)
    wire = client.confirm_booking(package_id, idempotency_key=operation.idempotency_key)
    answer = package_from_wire(wire)
    if answer.status != Status.CONFIRMED:
        raise OutcomeUnknown(f"XCover answered the confirmation with status {answer.status}.")
    return answer


def apply(operation: Operation, answer: PackageAnswer) -> None:
    """Store the booking, and flag differences from what the shopper agreed to.

    Call it in the transaction that finishes the operation.
    """
    package = operation.package
    packages.apply_answer(package, answer)
    if answer.status == Status.FAILED:
        packages.flag(package, Attention.BOOKING_FAILED)
    elif _missing(package, answer):
        packages.flag(package, Attention.POLICY_MISSING)
    if package.customer_token_id:
        package.customer_token_id = ""
        package.save(update_fields=["customer_token_id", "updated_at"])
    is_paid = operation.kind != OperationKind.CONFIRM_PAYMENT and operation.subject != UNPAID
    if is_paid and package.status == Status.PENDING_PAYMENT:
        # XCover can set up an account so that every booking needs a confirmation.
        operations.enqueue(package, OperationKind.CONFIRM_PAYMENT)


def leave_out(operation: Operation, quotes: Iterable[Quote]) -> bool:
    """Remove `quotes` from a booking that hasn't been sent; return False if it may have been.

    A booking without a body is built from the accepted quotes when it runs.
    """
    gone = {quote.quote_id for quote in quotes}
    body = operation.request and without_quotes(operation.request, gone)
    return operations.rewrite(operation, body)


def _require_choice(package: QuotePackage) -> None:
    """Raise Obsolete if all accepted cover was taken back before it was booked."""
    if not package.quotes.offered().accepted().exists():
        raise Obsolete(decisions.why_withdrawn(package.quotes.withdrawn()))


def _note(package: QuotePackage, shown: PackageAnswer) -> None:
    """Store what XCover shows before a second post, so that changes are flagged."""
    with transaction.atomic():
        packages.apply_answer(QuotePackage.objects.locked().get(pk=package.pk), shown)
    package.refresh_from_db()


def _require_offer(package: QuotePackage) -> None:
    """Raise CannotPerform unless XCover still offers at least one accepted quote.

    The rest is booked, and missing policies are flagged.
    """
    bookable = package.quotes.accepted().filter(status__in=BOOKABLE)
    if package.status not in BOOKABLE or not bookable.exists():
        raise CannotPerform(
            f"XCover no longer offers what was chosen: package {package.package_id} is "
            f"{package.status}. Refund the customer, or order the cover again."
        )


def _build(
    package: QuotePackage, order: Any, subject: str, accepted: Iterable[Quote]
) -> dict[str, Any]:
    unpaid = {"require_payment_confirmation": True} if subject == UNPAID else {}
    return {
        "quotes": [_chosen(quote) for quote in accepted if quote.status in BOOKABLE],
        **body(package, order),
        **unpaid,
    }


def _chosen(quote: Quote) -> dict[str, Any]:
    plan = {"instalment_plan": quote.instalment_plan} if quote.instalment_plan else {}
    return {"id": quote.quote_id, **plan}


def _complete(client: XCoverClient, package: QuotePackage, answer: PackageAnswer) -> PackageAnswer:
    """Return `answer` if it shows all accepted policies, else the booking as read again.

    A 2xx doesn't mean that everything was booked: single policies can fail (error types).
    """
    if answer.status == Status.FAILED:
        return answer
    if answer.status not in BOOKED or _missing(package, answer):
        with after_post():
            answer = package_from_wire(client.get_booking(package.package_id))
    if answer.status not in BOOKED:
        raise OutcomeUnknown(f"XCover answered the booking with status {answer.status}.")
    return answer


def _missing(package: QuotePackage, answer: PackageAnswer) -> list[Quote]:
    booked = {read.quote_id for read in answer.quotes if read.status in BOOKED}
    accepted = package.quotes.offered().accepted()
    return [quote for quote in accepted if quote.quote_id not in booked]


# Taking back accepted cover that isn't booked, when the shop cancels an order or a customer
# withdraws. Cover that may be booked has to be cancelled.


def take_back(package: QuotePackage, quotes: Sequence[Quote], reason: str) -> list[Operation]:
    """Withdraw the choice of `quotes`; return the operations that may still cover them.

    Operations that weren't sent are discarded for `reason`, or continue without `quotes`. If any
    are returned, the caller enqueues a cancellation and calls `give_time`. Call it in a
    transaction that holds the package's lock.
    """
    decisions.withdraw(quotes)
    unfinished = Operation.objects.unfinished().select_for_update()
    under_way = unfinished.filter(package=package, kind__in=PAYING).order_by("pk")
    return [operation for operation in under_way if not _try_to_stop(operation, quotes, reason)]


def give_time(following: Operation, doubtful: Iterable[Operation]) -> None:
    """Delay `following` by one retry spacing if a call to XCover got no answer.

    XCover may still be carrying that call out.
    """
    if any(not operation.outcome_known for operation in doubtful):
        rows = Operation.objects.filter(pk=following.pk)
        rows.update(next_attempt_at=lease.one_retry_spacing_from_now())


def _try_to_stop(operation: Operation, quotes: Sequence[Quote], reason: str) -> bool:
    """Keep the booking from covering `quotes`; return False if it may have happened already."""
    if operation.state == OperationState.RUNNING or not operation.outcome_known:
        return False
    left = carts.lock_quotes(operation.package)
    if all(quote.choice != Choice.ACCEPTED for quote in left):
        return operations.discard(operation, reason)
    return operation.kind == OperationKind.BOOK and leave_out(operation, quotes)
