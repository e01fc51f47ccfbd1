"""The tables of allowed status transitions, and the function that changes a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model, Q
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.models import (
    Cancellation,
    Instalment,
    Modification,
    Operation,
    OperationState,
    Policy,
    Quote,
    QuotePackage,
    Renewal,
    Status,
    WebhookDelivery,
)

logger = safe_logging.get_logger("django_xcover.outbox")

Table = Mapping[str, frozenset[str]]


def _table(rows: Mapping[str, Iterable[str]]) -> Table:
    return {before: frozenset(after) for before, after in rows.items()}


# Quotes API, 18.2 (transitions). OPTED_OUT ends a package: booking it afterwards is not documented.
STATUSES = _table(
    {
        Status.RECEIVED: {
            Status.CONFIRMED,
            Status.PENDING_PAYMENT,
            Status.OPTED_OUT,
            Status.FAILED,
            Status.DELETED,
            Status.CANCELLED,
            Status.EXPIRED,
        },
        Status.PENDING_PAYMENT: {Status.CONFIRMED, Status.CANCELLED, Status.FAILED},
        Status.CONFIRMED: {Status.CANCELLED, Status.RENEWED},
        Status.CANCELLED: (),
        Status.RENEWED: (),
        Status.OPTED_OUT: (),
        Status.FAILED: (),
        Status.DELETED: (),
        Status.EXPIRED: (),
    }
)
OPERATIONS = _table(
    {
        OperationState.PENDING: {OperationState.RUNNING, OperationState.DISCARDED},
        OperationState.RUNNING: set(OperationState),
        OperationState.NEEDS_PERSON: {OperationState.PENDING, OperationState.DISCARDED},
        OperationState.DONE: (),
        OperationState.DISCARDED: (),
    }
)
_CANCELLATION, _MODIFICATION, _RENEWAL = Cancellation.State, Modification.State, Renewal.State
CANCELLATIONS = _table(
    {
        _CANCELLATION.DRAFT: {_CANCELLATION.REQUESTED},
        _CANCELLATION.PREVIEWED: {_CANCELLATION.REQUESTED, _CANCELLATION.EXPIRED},
        _CANCELLATION.REQUESTED: {
            _CANCELLATION.CONFIRMED,
            _CANCELLATION.EXPIRED,
            _CANCELLATION.REFUSED,
            _CANCELLATION.NOT_NEEDED,
        },
        _CANCELLATION.CONFIRMED: (),
        _CANCELLATION.EXPIRED: (),
        _CANCELLATION.REFUSED: (),
        _CANCELLATION.NOT_NEEDED: (),
    }
)
MODIFICATIONS = _table(
    {
        _MODIFICATION.QUOTED: {_MODIFICATION.REQUESTED, _MODIFICATION.ABANDONED},
        _MODIFICATION.REQUESTED: {
            _MODIFICATION.CONFIRMED,
            _MODIFICATION.REFUSED,
            _MODIFICATION.ABANDONED,
        },
        _MODIFICATION.CONFIRMED: (),
        _MODIFICATION.ABANDONED: (),
        _MODIFICATION.REFUSED: (),
    }
)
RENEWALS = _table(
    {
        # The older flow goes straight to PAID: it has no price of ours to wait for.
        _RENEWAL.DUE: {
            _RENEWAL.QUOTED,
            _RENEWAL.PAID,
            _RENEWAL.OPTING_OUT,
            _RENEWAL.EXPIRED,
            _RENEWAL.CONFIRMED,
        },
        _RENEWAL.QUOTED: {
            _RENEWAL.QUOTED,
            _RENEWAL.PAID,
            _RENEWAL.OPTING_OUT,
            _RENEWAL.EXPIRED,
            _RENEWAL.CONFIRMED,
        },
        _RENEWAL.PAID: {_RENEWAL.CONFIRMED, _RENEWAL.EXPIRED},
        _RENEWAL.OPTING_OUT: {_RENEWAL.OPTED_OUT, _RENEWAL.EXPIRED},
        _RENEWAL.CONFIRMED: (),
        _RENEWAL.OPTED_OUT: (),
        _RENEWAL.EXPIRED: (),
    }
)
# XCover has PAID and UNPAID. FAILED is ours, set from the shop's report.
INSTALMENTS = _table(
    {
        Instalment.Status.UNPAID: {Instalment.Status.PAID, Instalment.Status.FAILED},
        Instalment.Status.FAILED: {Instalment.Status.PAID, Instalment.Status.FAILED},
        Instalment.Status.PAID: (),
    }
)
# A delivery has no final state: it can arrive again or be replayed.
_DELIVERY = WebhookDelivery.State
DELIVERIES = _table(
    {
        _DELIVERY.RECEIVED: {_DELIVERY.PROCESSING},
        _DELIVERY.PROCESSING: set(_DELIVERY),
        _DELIVERY.PROCESSED: {_DELIVERY.RECEIVED},
        _DELIVERY.UNKNOWN: {_DELIVERY.RECEIVED},
        _DELIVERY.FAILED: {_DELIVERY.RECEIVED},
    }
)
TABLES: Mapping[type[Model], Table] = {
    QuotePackage: STATUSES,
    Quote: STATUSES,
    Policy: STATUSES,
    Operation: OPERATIONS,
    Cancellation: CANCELLATIONS,
    Modification: MODIFICATIONS,
    Renewal: RENEWALS,
    Instalment: INSTALMENTS,
    WebhookDelivery: DELIVERIES,
}


def may_follow(before: str, after: str, table: Table = STATUSES) -> bool:
    """Return whether `after` may follow `before`.

    XCover may send undocumented statuses. Such a status may follow, and be followed by, any status
    that is not final.
    """
    if before not in table:
        return True
    return after in table[before] or (after not in table and bool(table[before]))


def transition(
    row: Model, to: str, *, field: str = "status", only: Q | None = None, **also: Any
) -> bool:
    """Set `field` of `row` to `to` by compare-and-set and return whether this call did it.

    `only` adds a condition and `also` more columns. A transition that is illegal, or that another
    process made first, is logged and changes nothing.
    """
    before = getattr(row, field)
    if not may_follow(before, to, TABLES[type(row)]):
        logger.warning("%s %s: %s cannot follow %s.", row._meta.label, row.pk, to, before)
        return False
    also["updated_at"] = timezone.now()  # `update` sets no auto_now column
    rows = type(row)._default_manager.filter(only or Q(), pk=row.pk, **{field: before})
    if not rows.update(**{field: to}, **also):
        logger.info("%s %s: somebody else moved it on from %s.", row._meta.label, row.pk, before)
        return False
    for name, value in {field: to, **also}.items():
        setattr(row, name, value)
    return True
