"""Every status, price and flag that the mirror ever had: kept by PostgreSQL, not by the shop."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import connection

from django_xcover.models import Quote, QuotePackage

WATCHED = ((QuotePackage, ("status", "attention")), (Quote, ("status", "price")))
TABLE = """
CREATE TABLE chaos_history (
    number bigserial PRIMARY KEY, what text NOT NULL, row_id bigint NOT NULL,
    before text NOT NULL, after text NOT NULL
)
"""
TRIGGER = """
CREATE FUNCTION chaos_{name}() RETURNS trigger AS $$ BEGIN
    INSERT INTO chaos_history (what, row_id, before, after)
    VALUES ('{what}', NEW.id, OLD.{column}::text, NEW.{column}::text);
    RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER chaos_{name} AFTER UPDATE ON {table} FOR EACH ROW
WHEN (OLD.{column} IS DISTINCT FROM NEW.{column}) EXECUTE FUNCTION chaos_{name}();
"""
# What nothing follows, and what may not follow what.
FINAL = {"CANCELLED", "OPTED_OUT", "FAILED", "DELETED"}
BACK = {
    "CONFIRMED": {"RECEIVED", "PENDING_PAYMENT", "OPTED_OUT"},
    "PENDING_PAYMENT": {"RECEIVED", "OPTED_OUT"},
    "RENEWED": {"RECEIVED", "PENDING_PAYMENT", "CONFIRMED", "OPTED_OUT"},
}


@dataclass
class History:
    """What changed, by the primary key of a package or of a policy.

    `changes` has all of it in its order, by column and row: `("quote.price", 7)`.
    """

    flags: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    repriced: set[int] = field(default_factory=set)
    went_back: list[str] = field(default_factory=list)
    changes: dict[tuple[str, int], list[str]] = field(default_factory=lambda: defaultdict(list))


def begin() -> None:
    """Have PostgreSQL note what changes from now on."""
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
        for model, columns in WATCHED:
            for column in columns:
                what = f"{model._meta.model_name}.{column}"
                name, table = what.replace(".", "_"), model._meta.db_table
                cursor.execute(TRIGGER.format(name=name, what=what, table=table, column=column))


def read() -> History:
    """Return what has been noted."""
    history = History()
    with connection.cursor() as cursor:
        cursor.execute("SELECT what, row_id, before, after FROM chaos_history ORDER BY number")
        for what, row_id, before, after in cursor.fetchall():
            _note(history, what, row_id, before, after)
    return history


def _note(history: History, what: str, row_id: int, before: str, after: str) -> None:
    history.changes[what, row_id].append(f"{before} to {after}")
    if what == "quotepackage.attention":
        history.flags[row_id].add(after)
    elif what == "quote.price":
        history.repriced.add(row_id)
    elif before in FINAL or after in BACK.get(before, ()):
        history.went_back.append(f"{what} of {row_id}: {before} to {after}")
