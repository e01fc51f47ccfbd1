"""Delete packages with all related rows: for retention, and at a customer's request.

Decisions, statements and records refuse to be deleted one by one, because they are evidence of a
sale. They are deleted together with the sale, or if there never was one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import models, router, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.conf import get_config
from django_xcover.exceptions import NotErasable
from django_xcover.models import (
    AccessRecord,
    AfterSaleOffer,
    Attempt,
    Cancellation,
    Decision,
    Flag,
    Hold,
    Instalment,
    KeptAnswer,
    Modification,
    Operation,
    OrderEvent,
    Quote,
    QuotePackage,
    RefundCorrection,
    Renewal,
    SearchTerm,
    StaffAction,
    Status,
    WebhookDelivery,
    Withdrawal,
)
from django_xcover.models.idempotency import LIFETIME
from django_xcover.models.status import UNFINISHED
from django_xcover.offers import after_sale

logger = safe_logging.get_logger("django_xcover.support")

BATCH = 500
# Statuses without cover. A package with an unknown status is kept.
NO_COVER = (Status.RECEIVED, Status.FAILED, Status.DELETED, Status.OPTED_OUT, Status.EXPIRED)
# The models in the order of deletion, each with the path to its package.
ROWS: tuple[tuple[type[models.Model], str], ...] = (
    (Instalment, "quote__package__in"),
    (Hold, "package__in"),
    (Decision, "package__in"),
    (Attempt, "operation__package__in"),
    (Operation, "package__in"),
    (Flag, "package__in"),
    (StaffAction, "package__in"),
    (SearchTerm, "package__in"),
    (Withdrawal, "cancellation__package__in"),
    (Cancellation.quotes.through, "cancellation__package__in"),
    (RefundCorrection, "cancellation__package__in"),
    (Cancellation, "package__in"),
    (Modification, "package__in"),
    (Renewal, "package__in"),
    (Quote, "package__in"),
    (QuotePackage, "pk__in"),
)


def erase_order(reference: str) -> int:
    """Delete every row about the order and return how many packages it had.

    Raises NotErasable if an operation is unfinished. XCover has to erase the customer first;
    otherwise a webhook or a reconciliation would bring the data back.
    """
    with transaction.atomic():
        after_sale.lock(reference)  # always before the packages
        packages = QuotePackage.objects.lock_order(reference)
        pks = [package.pk for package in packages]
        if Operation.objects.filter(package__in=pks, state__in=UNFINISHED).exists():
            raise NotErasable(reference=reference)
        _delete(packages)
        events = OrderEvent.objects.filter(order_reference=reference)
        _raw_delete(events.exclude(order_reference=""))
        late = AfterSaleOffer.objects.filter(order_reference=reference)
        _raw_delete(late.exclude(order_reference=""))
        holds = Hold.objects.filter(order_reference=reference).exclude(order_reference="")
        _raw_delete(holds)
        accesses = AccessRecord.objects.filter(order_reference=reference)
        _raw_delete(accesses.exclude(order_reference=""))
    logger.warning("Everything about an order was erased: %s packages.", len(packages))
    return len(packages)


def forget_unordered() -> int:
    """Delete packages without an order after XCOVER["UNORDERED_RETENTION_DAYS"]; return how many.

    Packages that are held, flagged or booked, or that have operations or workflows, are kept.
    """
    deleted = 0
    while batch := _forget_batch():
        deleted += batch
    return deleted


def forget_answers() -> None:
    """Delete the answers that the API has kept for a day."""
    _raw_delete(KeptAnswer.objects.filter(created_at__lt=timezone.now() - LIFETIME))


def _forget_batch() -> int:
    with transaction.atomic():
        pks = list(_unordered().order_by("pk").values_list("pk", flat=True)[:BATCH])
        # Filter again under the lock, because a package may have been ordered in between.
        locked = QuotePackage.objects.locked().filter(pk__in=pks)
        packages = list(locked.filter(pk__in=_unordered().values("pk")).order_by("pk"))
        _delete(packages)
    return len(packages)


def _unordered() -> QuerySet[QuotePackage]:
    before = timezone.now() - timedelta(days=get_config().unordered_retention_days)
    rows = QuotePackage.objects.filter(
        created_at__lt=before,
        updated_at__lt=before,
        order_reference="",
        attention="",
        booked_at=None,
        status__in=NO_COVER,
    )
    kept = (Operation, Cancellation, Modification, Renewal, Flag)
    for model in kept:
        rows = rows.exclude(Exists(model._default_manager.filter(package=OuterRef("pk"))))
    return rows.exclude(Exists(Hold.objects.unresolved().filter(package=OuterRef("pk"))))


def _delete(packages: Collection[QuotePackage]) -> None:
    pks = [package.pk for package in packages]
    by_account: dict[str, list[str]] = defaultdict(list)
    for package in packages:
        by_account[package.account].append(package.package_id)
    for account, ids in by_account.items():
        named = {"account": account, "package_id__in": ids}
        _raw_delete(WebhookDelivery.objects.filter(**named))
        _raw_delete(AccessRecord.objects.filter(**named))
        _raw_delete(KeptAnswer.objects.filter(**named))
    for model, path in ROWS:
        _raw_delete(model._default_manager.filter(**{path: pks}))


def _raw_delete(rows: QuerySet[Any]) -> None:
    # By key, because databases don't delete across joins. Raw, because evidence refuses `delete`.
    writer = router.db_for_write(rows.model)
    pks = list(rows.using(writer).values_list("pk", flat=True))
    plain: QuerySet[Any] = QuerySet(rows.model, using=writer).filter(pk__in=pks)
    plain._raw_delete(writer)  # noqa: SLF001
