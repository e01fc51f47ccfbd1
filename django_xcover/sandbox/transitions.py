"""The allowed transitions of a package (Quotes API: transitions)."""

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
# Final statuses, excluded from a booking's totals. Inferred for RENEWED, recorded for CANCELLED.
OVER = frozenset({CANCELLED, RENEWED})

MOVES = {
    (RECEIVED, "requote"): RECEIVED,
    (RECEIVED, "book"): CONFIRMED,
    (RECEIVED, "book_unpaid"): PENDING_PAYMENT,
    (PENDING_PAYMENT, "confirm"): CONFIRMED,
    (CONFIRMED, "modify"): CONFIRMED,
    (CONFIRMED, "cancel"): CANCELLED,
    # Policies are renewed; their booking stays CONFIRMED (inferred).
    (CONFIRMED, "renew"): CONFIRMED,
    (RECEIVED, "opt_out"): OPTED_OUT,
    # Captured in 2026: opting out of a confirmed booking returns 204 and changes nothing.
    (CONFIRMED, "opt_out"): CONFIRMED,
    # Inferred: in the other statuses too, because XCover does not seem to check.
    (OPTED_OUT, "opt_out"): OPTED_OUT,
    (PENDING_PAYMENT, "opt_out"): PENDING_PAYMENT,
    (CANCELLED, "opt_out"): CANCELLED,
}


def moved(status: str, move: str) -> str:
    """Return the status after the move. Raise StatusRefused if the move is not allowed.

    The message was captured for a second cancellation. Inferred: it applies to every refused move
    (booking twice or after an opt-out, confirming twice, changing a booked package).
    """
    try:
        return MOVES[status, move]
    except KeyError:
        raise StatusRefused(status) from None
