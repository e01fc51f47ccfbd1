"""Whether the shop's transaction can still commit after an error in it."""

from __future__ import annotations

from django.db import DatabaseError, transaction

# SQL's class "transaction rollback": a deadlock, or a transaction that another one overtook.
ROLLBACK = "40"


def is_doomed(error: Exception) -> bool:
    """Return whether the transaction around this call has to be rolled back because of `error`.

    Ask when an error is about to be forgiven. After a lost connection Django rolls the transaction
    back at its end without a word (`Atomic.__exit__`), and so does PostgreSQL at a COMMIT: the
    shop would thank for an order, or a payment, that is gone. After a deadlock a savepoint may
    survive, but the cover is not written: the database wants the whole of it repeated, as after
    any other statement of the shop's. It must hear of the error in both cases.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        return False
    lost = connection.needs_rollback or connection.closed_in_transaction
    return lost or _is_to_be_repeated(error) or not connection.is_usable()


def _is_to_be_repeated(error: Exception) -> bool:
    """Return whether the driver's own error has a code of that class (psycopg 3, psycopg 2)."""
    driver = error.__cause__
    code = getattr(driver, "sqlstate", None) or getattr(driver, "pgcode", None) or ""
    return isinstance(error, DatabaseError) and str(code).startswith(ROLLBACK)
