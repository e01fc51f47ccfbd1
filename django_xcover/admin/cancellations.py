"""Cancellations in the admin: what comes back to the customer, by when, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.badges import WAITING, badge
from django_xcover.admin.base import section
from django_xcover.admin.cancelling import ConfirmCancellation, CorrectRefund, RecordRefund
from django_xcover.admin.columns import WITHOUT_KEYS
from django_xcover.admin.filters import CreatedFilter, PackageAccountFilter, RefundFilter
from django_xcover.admin.refunds import corrections, recorded_refund, refund_table
from django_xcover.admin.texts import amount, policies_text, policy_links
from django_xcover.admin.workflows import WorkflowAdmin, with_policies
from django_xcover.models import Cancellation, OperationKind
from django_xcover.services import cancelling
from django_xcover.services.after_sale import awaits_refund, cancellation_steps, is_expired
from django_xcover.services.next_steps import NextStep


@admin.register(Cancellation)
class CancellationAdmin(WorkflowAdmin):
    """Cancellations. The page of a preview is where it is confirmed."""

    kinds = (OperationKind.CANCEL,)
    vendor_id = "cancellation_id"
    acts = (ConfirmCancellation(), RecordRefund(), CorrectRefund())
    list_display = (
        "policies",
        "order",
        "state_badge",
        "refund_shown",
        "refund_recorded",
        "created_at",
    )
    list_filter = ("state", RefundFilter, "origin", PackageAccountFilter, CreatedFilter)
    fieldsets = (
        section(
            None,
            "state_badge",
            ("order", "package_link"),
            "policy_links",
            ("origin", "reason"),
        ),
        section(
            _("Refund"),
            "lines_shown",
            ("refund_shown", "confirm_before"),
            ("refund_recorded", "refund_reference", "refunded_at"),
            "corrections_shown",
        ),
        section(
            _("For XCover's support"),
            "cancellation_id",
            ("created_at", "confirmed_at", "updated_at"),
            "answer",
            note=WITHOUT_KEYS,
            folded=True,
        ),
    )
    readonly_fields = (
        "state_badge",
        "order",
        "package_link",
        "policy_links",
        "lines_shown",
        "refund_shown",
        "refund_recorded",
        "corrections_shown",
        "answer",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_policies(super().get_queryset(request))

    def steps_of(self, row: Cancellation) -> Iterator[NextStep]:
        return cancellation_steps(row)

    def verdict(self, row: Cancellation) -> str:
        is_late = row.state == Cancellation.State.PREVIEWED and is_expired(row, timezone.now())
        return str(cancelling.PreviewExpired()) if is_late else cancelling.refusal_of(row)

    @admin.display(description=_("policies"))
    def policies(self, row: Cancellation) -> str:
        return policies_text(row.quotes.all())

    @admin.display(description=_("policies"))
    def policy_links(self, row: Cancellation) -> SafeString | str:
        return policy_links(row.quotes.all())

    @admin.display(description=_("refund per policy"))
    def lines_shown(self, row: Cancellation) -> SafeString | str:
        return refund_table(row)

    @admin.display(description=_("refund"))
    def refund_shown(self, row: Cancellation) -> str:
        return amount(row.total_refund, row.currency)

    @admin.display(description=_("corrections"))
    def corrections_shown(self, row: Cancellation) -> SafeString | str:
        return corrections(row)

    @admin.display(description=_("refund recorded"))
    def refund_recorded(self, row: Cancellation) -> SafeString | str:
        if awaits_refund(row):
            return badge(_("not yet"), WAITING)
        return recorded_refund(row)
