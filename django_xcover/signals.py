"""PUBLIC: the signals between a shop and this package.

A shop sends the first three; the others tell it what happened. The latter are sent with
`send_robust` after the transaction that made them true has committed: they observe, and a
receiver that raises undoes nothing.
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

# IN. Sent by the shop when the shopper has placed the order, inside the transaction that makes it.
# Arguments: order (the shop's object); cart (the shop's object the order was made from); hold
# (`Cover.hold`, needed where the cart may be gone or changed by then).
order_completed = Signal()

# IN. Sent by the shop when the order's money has been collected, inside the transaction that
# records it. Arguments: order; cart and hold (only when `order_completed` is not sent before).
payment_completed = Signal()

# IN. Sent by the shop when an order, or lines of it, was cancelled or returned, inside the
# transaction that records it. Arguments: order; lines (references of cart lines as in
# `PolicyRequest.reference`, None for the whole order); reason (str, told to XCover).
order_cancelled = Signal()

# A package was quoted or quoted anew. Arguments: package (QuotePackage).
quote_received = Signal()

# The shopper answered, or a changed price un-made an earlier yes. Arguments: decision (Decision).
decision_recorded = Signal()

# XCover has booked what the shopper chose.
# Arguments: package (QuotePackage), previous_status (str).
policy_booked = Signal()

# XCover knows that the offer was not taken. Arguments: package (QuotePackage).
opted_out = Signal()

# Something about a booking is not as the shopper saw it, and a person has to look.
# Arguments: package (QuotePackage), reason (str, a value of QuotePackage.Attention).
attention_needed = Signal()

# Policies are cancelled, and the shop has to give money back if it collected the premium. XCover
# has cancelled them, or the customer withdrew before they were booked; then `refund` is what the
# order was charged for them.
# Arguments: package (QuotePackage), cancellation (Cancellation: `refund` is Money, or None when
# XCover has not said; then a person is told, too).
policy_cancelled = Signal()

# A change of a booking has a price; nothing has changed yet.
# Arguments: modification (Modification: `difference` is Money, above zero to be charged).
modification_quoted = Signal()

# XCover has changed a booking. Arguments: modification (Modification).
policy_modified = Signal()

# The next period of a booking has a price, and the customer has just been told by the adapter. Once
# for each price. Arguments: renewal (Renewal: `premium`, `starts_at`, `ends_at`, `due_on`).
renewal_quoted = Signal()

# The next period is in force; the earlier policies are RENEWED, and the new ones stand beside them.
# Arguments: renewal (Renewal), package (QuotePackage).
policy_renewed = Signal()

# XCover knows that the customer declined the next period. Arguments: renewal (Renewal).
renewal_opted_out = Signal()

# XCover knows what became of the payment of an instalment.
# Arguments: instalment (Instalment: `status` is PAID or FAILED).
instalment_reported = Signal()

# A customer has stated that they withdraw or cancel; it is on record, and XCover is still to be
# asked. Arguments: withdrawal (Withdrawal).
withdrawal_received = Signal()

# An operation stopped and waits for a person. Arguments: operation (Operation).
operation_needs_person = Signal()

# XCover fails, so that no call is made at checkout for now. Arguments: account (str), until
# (aware UTC: when one call tries again). Sent by the process that saw one fault too many.
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
    """Let a signal that the shop already sends stand for one of ours.

    `order` and `cart` name the arguments of `source` that hold the shop's objects, `hold` the one
    with the reference of a hold: `forward(order_paid, to=payment_completed, order="instance")`.
    """

    def receiver(sender: object, **kwargs: object) -> None:
        to.send(
            sender=sender,
            order=kwargs[order],
            cart=kwargs.get(cart) if cart else None,
            hold=(kwargs.get(hold) or "") if hold else "",
        )

    source.connect(receiver, weak=False, dispatch_uid=("django_xcover.forward", id(to)))
