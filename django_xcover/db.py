"""Whether the shop's transaction can still commit after an error in it."""

from __future__ import annotations

from django.db import OperationalError, transaction


def is_doomed(error: Exception) -> bool:
    """Return whether the transaction around this call has to be rolled back because of `error`.

    Ask when an error is about to be forgiven. After a lost connection Django rolls the transaction
    back at its end without a word (`Atomic.__exit__`), and so does PostgreSQL at a COMMIT: the
    shop would thank for an order, or a payment, that is gone. After a deadlock, or a lock that was
    waited for too long, a savepoint may survive, but the cover is not written, and the order would
    be charged for it: the database wants the whole of it repeated, as after any other statement
    of the shop's. Drivers have no code in common for these, but all of them are OperationalErrors.
    The shop must hear of the error in each case.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        return False
    lost = connection.needs_rollback or connection.closed_in_transaction
    return lost or isinstance(error, OperationalError) or not connection.is_usable()
