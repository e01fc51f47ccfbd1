"""A shop of any size in a schema of its own: copies of one row of each table, made by the database.

What is to be done is as much in a large shop as in a small one, when all is well. It is spread over
the whole table, so that whoever looks for it without an index reads the whole table.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Model

from django_xcover.models import (
    Cancellation,
    Decision,
    Discrepancy,
    Instalment,
    Operation,
    Quote,
    QuotePackage,
    Renewal,
    SearchTerm,
    WebhookDelivery,
)
from django_xcover.testing import factories

DUE, FLAGGED = 50, 20
MINUTES = "now() - (COUNT - g) * interval '1 minute'"  # the highest key is the newest row


def some(number: int, then: str, otherwise: str, *, of: int = 1, at: int = 0) -> str:
    """Return SQL that is `then` in `number` rows of the COUNT / `of` that a table has."""
    return f"CASE WHEN g % (COUNT / {of} / {number}) = {at} THEN {then} ELSE {otherwise} END"


@dataclass(frozen=True, slots=True)
class Copies:
    """One row in `of` policies for each policy, with SQL in place of some columns."""

    model: type[Model]
    columns: dict[str, str]
    of: int = 1


COPIES = (
    Copies(
        QuotePackage,
        {
            "id": "g",
            "package_id": "'P' || lpad(g::text, 7, '0') || '-INS'",
            "order_reference": "'ORD-' || lpad(g::text, 7, '0')",
            "cart_reference": "'cart-' || g",
            "policyholder_email": "'c' || g || '@example.com'",
            "account": some(FLAGGED, "'other'", "'default'", at=2),
            "status": some(
                100, "'CANCELLED'", some(FLAGGED, "'PENDING_PAYMENT'", "'CONFIRMED'", at=1)
            ),
            "attention": some(FLAGGED, "'price_differs'", "''"),
            "booked_at": f"{MINUTES} - interval '60 days'",
            "created_at": MINUTES,
        },
    ),
    Copies(
        Quote,
        {
            "id": "g",
            "package_id": "g",
            "quote_id": "'00000000-0000-0000-0000-' || lpad(g::text, 12, '0')",
            "status": some(100, "'CANCELLED'", "'CONFIRMED'"),
            "policy_start_date": MINUTES,
            "policy_end_date": f"{MINUTES} + interval '2 years'",
            "created_at": MINUTES,
        },
    ),
    *(
        Copies(SearchTerm, {"id": f"g + COUNT * {place}", "package_id": "g", "term": term})
        for place, term in enumerate(
            (
                "'ord-' || lpad(g::text, 7, '0')",
                "'p' || lpad(g::text, 7, '0') || '-ins'",
                "'00000000-0000-0000-0000-' || lpad(g::text, 12, '0')",
                "'c' || g || '@example.com'",
                "'example.com'",
                "'rossi' || lpad(g::text, 7, '0')",
            )
        )
    ),
    Copies(
        Decision,
        {
            "id": "g",
            "package_id": "g",
            "quote_id": "g",
            "choice": some(FLAGGED, "'withdrawn'", "'accepted'"),
            "created_at": MINUTES,
        },
    ),
    Copies(
        Operation,
        {
            "id": "g",
            "package_id": "g",
            "idempotency_key": "gen_random_uuid()::text",
            "state": some(DUE, "'pending'", some(FLAGGED, "'needs_person'", "'done'")),
            "created_at": MINUTES,
        },
    ),
    Copies(
        WebhookDelivery,
        {
            "id": "g",
            "key": "'key-' || g",
            "package_id": "'P' || lpad(g::text, 7, '0') || '-INS'",
            "state": some(DUE, "'received'", some(FLAGGED, "'failed'", "'processed'")),
            "received_at": MINUTES,
            "created_at": MINUTES,
        },
    ),
    Copies(
        Discrepancy,
        {
            "id": "g",
            "package_id": "'P' || lpad((g * 100)::text, 7, '0') || '-INS'",
            "order_reference": "'ORD-' || lpad((g * 100)::text, 7, '0')",
            "state": some(FLAGGED, "'open'", "'gone'", of=100),
        },
        of=100,
    ),
    Copies(
        Cancellation,
        {
            "id": "g",
            "package_id": "g * 20",
            "cancellation_id": "'aB3dE-' || g || '-CCL'",
            "refunded_at": some(FLAGGED, "NULL", "now()", of=20),
        },
        of=20,
    ),
    Copies(
        Cancellation.quotes.through, {"id": "g", "cancellation_id": "g", "quote_id": "g * 20"}, 20
    ),
    Copies(
        Renewal,
        {
            "id": "g",
            "package_id": "g * 5 - 1",  # cancelled cover is not renewed
            "renewal_id": "'aB3dE-' || g || '-UPD'",
            "state": some(FLAGGED, "'quoted'", "'confirmed'", of=5),
        },
        of=5,
    ),
    Copies(
        Instalment,
        {
            "id": "g",
            "quote_id": "g * 5 - 1",  # cancelled policies owe nothing
            "status": some(FLAGGED, "'UNPAID'", "'PAID'", of=5),
            "period_start_date": "now() - interval '1 day'",
        },
        of=5,
    ),
)


def make_template() -> None:
    """Make one row of each table, of which the others are copies."""
    package = factories.QuotePackageFactory.create(
        booked=True, labels=(), order_reference="", payload={"text": "x" * 500}
    )
    quote = factories.QuoteFactory.create(
        package=package, choice="accepted", payload={"text": "x" * 1500}
    )
    factories.SearchTermFactory.create(package=package, term="one")
    factories.DecisionFactory.create(quote=quote)
    factories.OperationFactory.create(package=package, done=True, attempt=None)
    factories.WebhookDeliveryFactory.create(package=package, key="key", package_id="P")
    factories.DiscrepancyFactory.create(package=package)
    factories.CancellationFactory.create(package=package, confirmed=True)
    factories.RenewalFactory.create(package=package)
    factories.InstalmentFactory.create(quote=quote)


def fill(schema: str, count: int) -> None:
    """Make the tables of a shop with `count` policies in a new schema, a multiple of 2,000."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        cursor.execute(
            "SELECT tablename FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename LIKE 'xcover%'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"CREATE TABLE {schema}.{table} (LIKE public.{table} INCLUDING ALL)")
        # Only outside of a transaction may dead rows be looked for, which index-only scans need.
        tidy = "ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE"
        for copies in COPIES:
            cursor.execute(_insert(schema, count, copies))
            cursor.execute(f"{tidy} {schema}.{copies.model._meta.db_table}")


def look_into(schema: str) -> None:
    """Let the queries that follow read the shop in this schema."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path TO {schema}, public")


def _insert(schema: str, count: int, copies: Copies) -> str:
    table = copies.model._meta.db_table
    columns = [str(field.column) for field in copies.model._meta.concrete_fields]
    values = ", ".join(copies.columns.get(name, f"t.{name}") for name in columns)
    values = values.replace("COUNT", str(count))
    return (
        f"INSERT INTO {schema}.{table} ({', '.join(columns)}) SELECT {values} "  # noqa: S608
        f"FROM public.{table} t, generate_series(1, {count // copies.of}) g"
    )
