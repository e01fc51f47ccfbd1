"""The admin of withdrawals: the customers' statements and their results."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin import display
from django_xcover.admin.base import MirrorAdmin, section
from django_xcover.admin.display import WAITING, badge, state_badge
from django_xcover.admin.filters import packages_matching
from django_xcover.models import QuotePackage, Withdrawal
from django_xcover.support.next_steps import moment


@admin.register(Withdrawal)
class WithdrawalAdmin(MirrorAdmin):
    """Statements of withdrawal. They are evidence, so they are read-only."""

    list_display = ("made_at", "order", "channel", "outcome", "receipt")
    list_filter = ("channel", ("receipt_sent_at", admin.EmptyFieldListFilter))
    list_select_related = ("cancellation__package",)
    heavy = ("cancellation__payload", "cancellation__package__payload")
    personal = frozenset({"name", "email", "statement_shown"})
    fieldsets = (
        section(None, "made_at", ("order", "package_link"), "cancellation_link", "outcome"),
        section(_("What was stated"), "statement_shown", ("name", "email"), "channel", "language"),
        section(_("E-mails"), "receipt", "outcome_sent_at"),
    )
    readonly_fields = (
        "order",
        "package_link",
        "cancellation_link",
        "outcome",
        "statement_shown",
        "receipt",
    )

    def matching(self, text: str, *, people: bool) -> Q:
        packages = QuotePackage.objects.filter(packages_matching(text, people=people))
        return Q(cancellation__package__in=packages.values("pk"))

    @admin.display(description=_("order"))
    def order(self, row: Withdrawal) -> SafeString | str:
        return display.order_link(row.cancellation.package) or "-"

    @admin.display(description=_("package"))
    def package_link(self, row: Withdrawal) -> SafeString:
        return display.package_link(row.cancellation.package)

    @admin.display(description=_("cancellation"))
    def cancellation_link(self, row: Withdrawal) -> SafeString:
        url = reverse("admin:xcover_cancellation_change", args=[row.cancellation_id])
        return display.link(url, str(row.cancellation))

    @admin.display(description=_("carried out"))
    def outcome(self, row: Withdrawal) -> SafeString:
        return state_badge(row.cancellation)

    @admin.display(description=_("statement"))
    def statement_shown(self, row: Withdrawal) -> SafeString:
        return format_html_join("", "{}<br>", ((line,) for line in row.statement.splitlines()))

    @admin.display(description=_("receipt sent at"))
    def receipt(self, row: Withdrawal) -> SafeString | str:
        sent = row.receipt_sent_at
        return badge(_("not sent"), WAITING) if sent is None else moment(sent)
