"""The outbox: what must happen at XCover, written where it became true."""

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
from django_xcover.models.package import QuotePackage
from django_xcover.models.pause import AccountPause
from django_xcover.models.status import UNFINISHED, OperationKind, OperationState

# The subject of a booking that waits for the money. It keeps one kind of booking from standing
# in for the other, and tells at payment which of the two there is.
UNPAID = "unpaid"
# What makes cover of a choice, or of a booking that waits for its money.
PAYING = (OperationKind.BOOK, OperationKind.CONFIRM_PAYMENT, OperationKind.INSTANT_BOOK)


def new_idempotency_key() -> str:
    """Return a key for `x-idempotency-key`: a UUID, as the vendor's sample uses."""
    return str(uuid.uuid4())


class OperationQuerySet(models.QuerySet["Operation"]):
    def unfinished(self) -> OperationQuerySet:
        """Return those that still have to happen, those waiting for a person included."""
        return self.filter(state__in=UNFINISHED)

    def claimable(self, now: datetime) -> OperationQuerySet:
        """Return those a worker may take: due ones, and those whose worker's lease ran out.

        None of a paused account, and none before its turn on its package. What waits behind a
        person may wait for weeks: were it listed here, it would fill every sweep.
        """
        waiting = Q(due("next_attempt_at", now), state=OperationState.PENDING)
        orphaned = Q(lapsed("lease_until", now), state=OperationState.RUNNING)
        paused = AccountPause.objects.filter(account=OuterRef("package__account"))
        return self.filter(waiting | orphaned).exclude(Exists(paused)).in_turn()

    def in_turn(self) -> OperationQuerySet:
        """Leave out those with an unfinished operation before them on the same package.

        An e-mail changes nothing that others build on, so nobody waits for one.
        """
        before = Operation.objects.filter(package=OuterRef("package"), pk__lt=OuterRef("pk"))
        before = before.exclude(kind=OperationKind.SEND_EMAIL)
        under_way = before.filter(state__in=(OperationState.PENDING, OperationState.RUNNING))
        stopped = before.filter(state=OperationState.NEEDS_PERSON)
        # A customer may always cancel: it waits for no person. It reads the booking first, but of
        # an instant booking XCover has to tell the id before anybody can.
        unreadable = stopped.filter(kind=OperationKind.INSTANT_BOOK)
        held_up = ~Q(kind=OperationKind.CANCEL) & Q(Exists(stopped)) | Q(Exists(unreadable))
        return self.exclude(Exists(under_way)).exclude(held_up)

    def reporting_payment(self) -> OperationQuerySet:
        """Return those by which the shop has said that the cover is paid, and not unsaid it.

        What a person has given up was paid for all the same.
        """
        rows = self.filter(kind__in=PAYING).exclude(subject=UNPAID)
        return rows.exclude(state=OperationState.DISCARDED, given_up="")

    def needing_person(self) -> OperationQuerySet:
        """Return those that nothing but a person can move."""
        return self.filter(state=OperationState.NEEDS_PERSON)

    def given_up(self) -> OperationQuerySet:
        """Return those that a person has ended."""
        return self.filter(state=OperationState.DISCARDED).exclude(given_up="")

    def refused(self) -> OperationQuerySet:
        """Return those that are over because XCover said no: only its errors have a type."""
        over = self.filter(state=OperationState.DISCARDED, given_up="")
        return over.filter(error__has_key="type")


class Operation(models.Model):
    """One thing to do at XCover, at most once for a package, kind and subject.

    `idempotency_key` is stored before the first call and kept for its repeats. `request` is the
    body, frozen when the operation is written so that a repeat sends the same, and emptied when
    it is done because it holds personal data. `attempts` and the key also fence: only the worker
    that made the latest attempt may write its outcome, and what was rewritten has to be read anew.
    `given_up` says why a person ended what had stopped.
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
    def reports_payment(self) -> bool:
        """Return whether it is one of `reporting_payment`, for a row that has been read."""
        over = self.state == OperationState.DISCARDED and not self.given_up
        return self.kind in PAYING and self.subject != UNPAID and not over
