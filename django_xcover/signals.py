"""PUBLIC: the signals between a shop and this package.

The shop sends the first three; this package sends the others. It sends them with `send_robust`
after the transaction has committed, so a receiver that raises an exception undoes nothing.
"""

from __future__ import annotations

from django.dispatch import Signal

__all__ = [
    "attention_needed",
    "circuit_closed",
    "circuit_opened",
    "decision_recorded",
    "forward",
    "instalment_reported",
    "modification_quoted",
    "operation_needs_person",
    "opted_out",
    "order_cancelled",
    "order_completed",
    "payment_completed",
    "policy_booked",
    "policy_cancelled",
    "policy_modified",
    "policy_renewed",
    "quote_received",
    "renewal_opted_out",
    "renewal_quoted",
    "withdrawal_received",
]

# IN. Sent by the shop when the shopper has placed the order, inside the transaction that creates
# it. Arguments: order (the shop's object); cart (the shop's object the order was made from); hold
# (`Cover.hold`, required if the cart may be deleted or changed by then).
order_completed = Signal()

# IN. Sent by the shop when the order has been paid, inside the transaction that records the
# payment. Arguments: order; cart and hold (only if `order_completed` was not sent before).
payment_completed = Signal()

# IN. Sent by the shop when an order, or some of its lines, was cancelled or returned, inside the
# transaction that records it. Arguments: order; lines (references of cart lines as in
# `PolicyRequest.reference`, None for the whole order); reason (str, sent to XCover).
order_cancelled = Signal()

# A package was quoted or requoted. Arguments: package (QuotePackage).
quote_received = Signal()

# The shopper chose, or an acceptance lapsed with a changed price. Arguments: decision (Decision).
decision_recorded = Signal()

# XCover has booked the accepted cover.
# Arguments: package (QuotePackage), previous_status (str).
policy_booked = Signal()

# XCover has recorded that the offer was declined. Arguments: package (QuotePackage).
opted_out = Signal()

# A booking needs a person's attention, for example because it differs from what the shopper saw.
# Arguments: package (QuotePackage), reason (str, a value of QuotePackage.Attention).
attention_needed = Signal()

# Policies are cancelled. The shop has to refund the customer if it collected the premium. Either
# XCover has cancelled them, or the customer withdrew before they were booked; `refund` is then the
# amount charged for them with the order.
# Arguments: package (QuotePackage), cancellation (Cancellation: `refund` is Money, or None if
# XCover named no amount; a person is then alerted, too).
policy_cancelled = Signal()

# A change to a booking was priced; nothing has changed yet.
# Arguments: modification (Modification: `difference` is Money, positive if it is to be charged).
modification_quoted = Signal()

# XCover has changed a booking. Arguments: modification (Modification).
policy_modified = Signal()

# The next period of a booking was priced, and the adapter has just notified the customer. Sent once
# per price. Arguments: renewal (Renewal: `premium`, `starts_at`, `ends_at`, `due_on`).
renewal_quoted = Signal()

# The next period is booked. The earlier policies are RENEWED, and the package has new policies.
# Arguments: renewal (Renewal), package (QuotePackage).
policy_renewed = Signal()

# XCover has recorded that the customer declined the next period. Arguments: renewal (Renewal).
renewal_opted_out = Signal()

# XCover has recorded the payment, or the failed payment, of an instalment.
# Arguments: instalment (Instalment: `status` is PAID or FAILED).
instalment_reported = Signal()

# A customer's statement of withdrawal or cancellation was recorded. XCover has not carried it out
# yet. Arguments: withdrawal (Withdrawal).
withdrawal_received = Signal()

# An operation stopped and waits for a person. Arguments: operation (Operation).
operation_needs_person = Signal()

# XCover is down, and calls at checkout have stopped for now. Arguments: account (str), until
# (aware UTC: when the next call probes). Sent by the process that detected the outage.
circuit_opened = Signal()

# XCover answers again. Arguments: account (str), opened_at (aware UTC).
circuit_closed = Signal()

# Internal: an operation was written and its transaction has committed. Arguments: pk (int).
operation_ready = Signal()

# Internal: a webhook was stored and its transaction has committed. Arguments: pk (int).
delivery_ready = Signal()


def forward(
    source: Signal,
    *,
    to: Signal,
    order: str = "order",
    cart: str | None = None,
    hold: str | None = None,
) -> None:
    """Send `to`, one of our signals, whenever the shop's signal `source` is sent.

    `order` and `cart` are the names of the arguments of `source` with the shop's objects, `hold`
    the name of the one with the reference of a hold:
    `forward(order_paid, to=payment_completed, order="instance")`.
    """

    def receiver(sender: object, **kwargs: object) -> None:
        to.send(
            sender=sender,
            order=kwargs[order],
            cart=kwargs.get(cart) if cart else None,
            hold=(kwargs.get(hold) or "") if hold else "",
        )

    source.connect(receiver, weak=False, dispatch_uid=("django_xcover.forward", id(to)))
