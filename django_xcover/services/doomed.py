"""Whether the shop's transaction can still commit after an error in it."""

from __future__ import annotations

from django.db import transaction


def is_doomed() -> bool:
    """Return whether the transaction around this call can only be rolled back.

    Ask when an error is about to be forgiven. Django rolls such a transaction back at its end
    without a word (`Atomic.__exit__`), and so does PostgreSQL at a COMMIT: the shop would thank
    for an order, or a payment, that is gone. It must hear of the error instead.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        return False
    lost = connection.needs_rollback or connection.closed_in_transaction
    return lost or not connection.is_usable()
