"""The progress of reconciliation with XCover, and the discrepancies that it found."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField


class Reconciliation(models.Model):
    """The current or last pass over an account's bookings.

    A pass reads XCover's list by `offset`, then our own packages and finally the open discrepancies
    that were not seen, both by `last_pk`. The progress is saved after each page, so that an
    interrupted pass continues there. `attempts` is a fencing token: only the latest process to take
    the row may write it. `error` is the code of the error that ended the last attempt at
    `failed_at`, "" if the last attempt succeeded.
    """

    class Phase(models.TextChoices):
        THEIRS = "theirs", _("XCover's bookings")
        OURS = "ours", _("our bookings")
        OPEN = "open", _("what was open")
        DONE = "done", _("finished")

    account = models.CharField(_("account"), max_length=50, unique=True)
    phase = models.CharField(_("phase"), max_length=16, choices=Phase, default=Phase.DONE)
    offset = models.PositiveBigIntegerField(_("place in XCover's list"), default=0)
    last_pk = models.PositiveBigIntegerField(_("last row"), default=0)
    since = models.DateTimeField(_("changed since"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    failed_at = models.DateTimeField(_("failed at"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=64, blank=True, default="")
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ("account",)

    def __str__(self) -> str:
        return self.account


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def open(self) -> DiscrepancyQuerySet:
        """Return the discrepancies that are neither resolved nor gone."""
        return self.filter(state=Discrepancy.State.OPEN)


class Discrepancy(models.Model):
    """A difference between our data and XCover's that only a person can settle.

    There is one row per account, package, quote and kind, however often it is found. `quote_id` is
    empty if it concerns the whole package. `ours` and `theirs` are the amounts on both sides and
    `at_stake` the amount concerned, all in `currency`. `here` and `there` are the statuses on both
    sides, "" if it does not exist there. The package is stored as XCover's id, because we may not
    have it.
    """

    class Kind(models.TextChoices):
        NOT_COVERED = "not_covered", _("paid but not covered")
        NOT_PAID = "not_paid", _("covered but not paid")
        PRICE_DIFFERS = "price_differs", _("price differs")
        STATUS_DIFFERS = "status_differs", _("status differs")
        UNKNOWN = "unknown", _("unknown to us")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("looked into")
        GONE = "gone", _("gone by itself")

    account = models.CharField(_("account"), max_length=50)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    package_id = VendorIdField(_("package id"))
    quote_id = VendorIdField(_("policy id"), blank=True, default="")
    order_reference = models.CharField(
        _("order reference"), max_length=100, blank=True, default="", db_index=True
    )
    currency = models.CharField(_("currency"), max_length=3)
    ours = AmountField(_("amount here"), null=True, blank=True)
    theirs = AmountField(_("amount at XCover"), null=True, blank=True)
    at_stake = AmountField(_("at stake"))
    here = models.CharField(_("here"), max_length=32, blank=True, default="")
    there = models.CharField(_("at XCover"), max_length=32, blank=True, default="")
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.OPEN, db_index=True
    )
    note = models.CharField(_("what was done"), max_length=200, blank=True, default="")
    resolved_by = models.CharField(_("looked into by"), max_length=150, blank=True, default="")
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    created_at = models.DateTimeField(_("first seen"), auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager.from_queryset(DiscrepancyQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("discrepancy")
        verbose_name_plural = _("discrepancies")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                # The id comes first, because staff search by it.
                fields=("package_id", "quote_id", "kind", "account"),
                name="xcover_discrepancy_once",
            ),
        )
        permissions = (("resolve_discrepancy", _("Can mark discrepancies as looked into")),)

    def __str__(self) -> str:
        return f"{self.package_id}: {self.get_kind_display()}"
