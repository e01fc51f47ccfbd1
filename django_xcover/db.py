"""Whether the shop's transaction can still commit after an error in it."""

from __future__ import annotations

from django.db import OperationalError, transaction


def is_doomed(error: Exception) -> bool:
    """Return whether the current transaction has to be rolled back because of `error`.

    Call this before suppressing an error. If it returns True, raise the error, so that the shop
    learns of it. After a lost connection Django silently rolls the transaction back at its end
    (`Atomic.__exit__`), and so does PostgreSQL at a COMMIT: the shop would confirm an order or a
    payment that no longer exists. After a deadlock or a lock timeout a savepoint may survive, but
    the cover is not written, and the order would still be charged for it: the whole transaction
    has to be repeated, as after an error in any statement of the shop. Drivers have no common code
    for these errors, but all of them are OperationalErrors.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        return False
    lost = connection.needs_rollback or connection.closed_in_transaction
    return lost or isinstance(error, OperationalError) or not connection.is_usable()
