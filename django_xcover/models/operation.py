"""The outbox: operations to perform at XCover, written in the transaction that requires them."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager, due, lapsed
from django_xcover.models.fields import VendorIdField
from django_xcover.models.health import AccountPause
from django_xcover.models.package import QuotePackage
from django_xcover.models.status import UNFINISHED, OperationKind, OperationState

# The subject of a booking that waits for its payment. It distinguishes the two kinds of booking, so
# that neither replaces the other and the payment finds the right one.
UNPAID = "unpaid"
# The kinds that turn an acceptance, or a booking that waits for its payment, into cover.
PAYING = (OperationKind.BOOK, OperationKind.CONFIRM_PAYMENT, OperationKind.INSTANT_BOOK)


def new_idempotency_key() -> str:
    """Return a key for `x-idempotency-key`: a UUID, as in the vendor's sample."""
    return str(uuid.uuid4())


class OperationQuerySet(models.QuerySet["Operation"]):
    def unfinished(self) -> OperationQuerySet:
        """Return the operations that are not finished, including those that need a person."""
        return self.filter(state__in=UNFINISHED)

    def claimable(self, now: datetime) -> OperationQuerySet:
        """Return the operations a worker may claim: due ones, and those with an expired lease.

        Operations of paused accounts are excluded, and so are those that wait for an earlier one on
        their package. An operation that waits for a person can wait for weeks and would otherwise
        fill every sweep.
        """
        waiting = Q(due("next_attempt_at", now), state=OperationState.PENDING)
        orphaned = Q(lapsed("lease_until", now), state=OperationState.RUNNING)
        paused = AccountPause.objects.filter(account=OuterRef("package__account"))
        return self.filter(waiting | orphaned).exclude(Exists(paused)).in_turn()

    def in_turn(self) -> OperationQuerySet:
        """Exclude operations that wait for an earlier, unfinished one on the same package.

        No operation waits for an e-mail, because none depends on it.
        """
        before = Operation.objects.filter(package=OuterRef("package"), pk__lt=OuterRef("pk"))
        before = before.exclude(kind=OperationKind.SEND_EMAIL)
        under_way = before.filter(state__in=(OperationState.PENDING, OperationState.RUNNING))
        stopped = before.filter(state=OperationState.NEEDS_PERSON)
        # A cancellation waits for no person, because a customer may always cancel. It reads the
        # booking first, which for an instant booking is only possible once XCover has named its id.
        unreadable = stopped.filter(kind=OperationKind.INSTANT_BOOK)
        held_up = ~Q(kind=OperationKind.CANCEL) & Q(Exists(stopped)) | Q(Exists(unreadable))
        return self.exclude(Exists(under_way)).exclude(held_up)

    def reporting_payment(self) -> OperationQuerySet:
        """Return the operations that record a payment which the shop has not withdrawn.

        That includes operations that a person has given up, because they were paid for, too.
        """
        rows = self.filter(kind__in=PAYING).exclude(subject=UNPAID)
        return rows.exclude(state=OperationState.DISCARDED, given_up="")

    def needing_person(self) -> OperationQuerySet:
        """Return the operations that wait for a person."""
        return self.filter(state=OperationState.NEEDS_PERSON)

    def given_up(self) -> OperationQuerySet:
        """Return the operations that a person has given up."""
        return self.filter(state=OperationState.DISCARDED).exclude(given_up="")

    def refused(self) -> OperationQuerySet:
        """Return the operations that ended because XCover refused them."""
        discarded = self.filter(state=OperationState.DISCARDED, given_up="")
        return discarded.filter(error__has_key="type")  # only XCover's errors have a type


class Operation(models.Model):
    """One operation at XCover, at most one per package, kind and subject.

    `idempotency_key` is stored before the first call and reused by retries. `request` is the body.
    It is frozen when the operation is written, so that retries send the same, and emptied when the
    operation is done, because it contains personal data. `attempts` and the key are also fencing
    tokens: only the worker with the latest attempt may write its result, and an operation that was
    rewritten meanwhile has to be read again. `given_up` is the reason why a person ended a stopped
    operation.
    """

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="operations", on_delete=models.PROTECT
    )
    kind = models.CharField(_("kind"), max_length=32, choices=OperationKind)
    subject = VendorIdField(_("subject"), blank=True, default="")
    state = models.CharField(
        _("state"), max_length=16, choices=OperationState, default=OperationState.PENDING
    )
    idempotency_key = models.CharField(
        _("idempotency key"), max_length=64, unique=True, default=new_idempotency_key
    )
    request = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    failures = models.PositiveSmallIntegerField(_("failures"), default=0)
    outcome_known = models.BooleanField(_("outcome known"), default=True)
    started_at = models.DateTimeField(_("last attempt started at"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    error = models.JSONField(_("last error"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    given_up = models.CharField(_("why it was given up"), max_length=200, blank=True, default="")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = WriterManager.from_queryset(OperationQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("package", "kind", "subject"), name="xcover_operation_once"
            ),
        )
        indexes = (
            models.Index(fields=("state", "next_attempt_at"), name="xcover_operation_due"),
            models.Index(fields=("state", "lease_until"), name="xcover_operation_lease"),
        )
        permissions = (
            ("retry_operation", _("Can retry operations")),
            ("give_up_operation", _("Can give up operations")),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.package}"

    @property
    def due_at(self) -> datetime | None:
        """Return when a worker has to begin or end the next attempt, None if no worker has to."""
        times = {
            OperationState.PENDING.value: self.next_attempt_at,
            OperationState.RUNNING.value: self.lease_until,
        }
        return times.get(self.state)

    @property
    def reports_payment(self) -> bool:
        """Return whether `reporting_payment` would include this operation."""
        discarded = self.state == OperationState.DISCARDED and not self.given_up
        return self.kind in PAYING and self.subject != UNPAID and not discarded
