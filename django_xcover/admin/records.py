"""The admin of what is kept as evidence: decisions, withdrawals, accesses to personal data."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.common import display
from django_xcover.admin.common.base import MirrorAdmin, section
from django_xcover.admin.common.display import (
    WAITING,
    OfPackage,
    badge,
    choice_badge,
    folded_json,
    state_badge,
)
from django_xcover.admin.common.filters import (
    CreatedFilter,
    PackageAccountFilter,
    packages_matching,
    rows_matching,
)
from django_xcover.admin.common.redaction import names_of
from django_xcover.formats import format_amount
from django_xcover.models import AccessRecord, Decision, QuotePackage, Withdrawal
from django_xcover.support.next_steps import moment
from django_xcover.types import Money


@admin.register(Decision)
class DecisionAdmin(OfPackage, MirrorAdmin):
    """Decisions, with the texts shown on the page. They have no personal data."""

    list_display = (
        "created_at",
        "order",
        "package_link",
        "policy",
        "choice_badge",
        "price_shown",
        "locale",
    )
    list_filter = ("choice", PackageAccountFilter, CreatedFilter)
    list_select_related = ("package", "quote")
    heavy = ("shown", "package__payload", "quote__payload", "quote__request")
    fieldsets = (
        section(
            None, "choice_badge", "policy", "price_shown", "created_at", "order", "package_link"
        ),
        section(_("What the page showed"), "locale", "template_version", "wording_hash", "words"),
    )
    readonly_fields = ("choice_badge", "policy", "price_shown", "order", "package_link", "words")

    def matching(self, text: str, *, people: bool) -> Q:
        return rows_matching(text, people=people)

    @admin.display(description=_("choice"))
    def choice_badge(self, row: Decision) -> SafeString | str:
        return choice_badge(row)

    @admin.display(description=_("policy"))
    def policy(self, row: Decision) -> str:
        return ": ".join(text for text in (row.quote.label, row.quote.policy_name) if text)

    @admin.display(description=_("price shown"))
    def price_shown(self, row: Decision) -> str:
        return format_amount(Money(row.price, row.currency))

    @admin.display(description=_("shown"))
    def words(self, row: Decision) -> SafeString:
        return folded_json(row.shown)


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


@admin.register(AccessRecord)
class AccessRecordAdmin(MirrorAdmin):
    """Records of accesses, newest first."""

    list_display = ("at", "who", "what", "detail", "order_reference", "package_id")
    list_filter = ("what", "is_staff")
    fieldsets = (
        section(None, "at", "who", "is_staff", ("what", "detail")),
        section(_("About"), "order_reference", "package_id", "account"),
    )
    readonly_fields = ("who",)

    def matching(self, text: str, *, people: bool) -> Q:
        text = text.strip()
        return Q(order_reference=text) | Q(package_id=text.upper()) | Q(by=text)

    @admin.display(description=_("by"))
    def who(self, row: AccessRecord) -> str:
        return names_of([row.by]).get(row.by, row.by) or "-"
