"""The admin of decisions: evidence of what was shown and chosen."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.base import MirrorAdmin, section
from django_xcover.admin.display import OfPackage, choice_badge, folded_json
from django_xcover.admin.filters import CreatedFilter, PackageAccountFilter, rows_matching
from django_xcover.formats import format_amount
from django_xcover.models import Decision
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
