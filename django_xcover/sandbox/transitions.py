"""The one table that says what may happen to a package (Quotes API: transitions)."""

from __future__ import annotations

from django_xcover.sandbox.http.errors import StatusRefused

RECEIVED = "RECEIVED"
PENDING_PAYMENT = "PENDING_PAYMENT"
CONFIRMED = "CONFIRMED"
CANCELLED = "CANCELLED"
OPTED_OUT = "OPTED_OUT"
FAILED = "FAILED"
RENEWED = "RENEWED"

BOOKED = frozenset({PENDING_PAYMENT, CONFIRMED, CANCELLED, RENEWED})
# What is over: no part of a booking's totals, and nothing can happen to it any more.
# Inferred: RENEWED too; the recordings show it for CANCELLED.
OVER = frozenset({CANCELLED, RENEWED})

MOVES = {
    (RECEIVED, "requote"): RECEIVED,
    (RECEIVED, "book"): CONFIRMED,
    (RECEIVED, "book_unpaid"): PENDING_PAYMENT,
    (PENDING_PAYMENT, "confirm"): CONFIRMED,
    (CONFIRMED, "modify"): CONFIRMED,
    (CONFIRMED, "cancel"): CANCELLED,
    # A renewal is of policies: the booking they belong to stays CONFIRMED (inferred).
    (CONFIRMED, "renew"): CONFIRMED,
    (RECEIVED, "opt_out"): OPTED_OUT,
    # Captured in 2026: opting out of a confirmed booking answers 204 and changes nothing.
    (CONFIRMED, "opt_out"): CONFIRMED,
    # Inferred: in the other states too, since the real one does not seem to look.
    (OPTED_OUT, "opt_out"): OPTED_OUT,
    (PENDING_PAYMENT, "opt_out"): PENDING_PAYMENT,
    (CANCELLED, "opt_out"): CANCELLED,
}


def moved(status: str, move: str) -> str:
    """Return the status after the move; raise StatusRefused when the table does not have it.

    Inferred: the sentence was captured for a second cancellation; here it answers every
    refused move (booking twice or after an opt-out, confirming twice, changing a booked package).
    """
    try:
        return MOVES[status, move]
    except KeyError:
        raise StatusRefused(status) from None
