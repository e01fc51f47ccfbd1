"""The admin of holds: frozen premiums and their orders."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin import display
from django_xcover.admin.base import MirrorAdmin, section
from django_xcover.admin.display import hold_badge
from django_xcover.admin.filters import CreatedFilter, HoldFilter, packages_matching
from django_xcover.formats import format_amount
from django_xcover.models import Choice, Hold, QuotePackage
from django_xcover.types import Money


@admin.register(Hold)
class HoldAdmin(MirrorAdmin):
    """Holds, newest first. They are read-only: the shop takes them over and releases them."""

    list_display = ("created_at", "state_badge", "premium_shown", "order", "package_link", "expiry")
    list_filter = (HoldFilter, "account", CreatedFilter)
    list_select_related = ("package",)
    heavy = ("package__payload",)
    fieldsets = (
        section(None, "state_badge", "premium_shown", ("order", "package_link")),
        section(_("What was frozen"), "choices_shown", ("created_at", "expires_at")),
        section(_("What happened to it"), ("taken_at", "released_at", "reported_at")),
        section(
            _("For developers"),
            "reference",
            ("account", "cart_reference"),
            note=_("Send order_completed with this reference to give the order this cover."),
            folded=True,
        ),
    )
    readonly_fields = ("state_badge", "premium_shown", "order", "package_link", "choices_shown")

    def matching(self, text: str, *, people: bool) -> Q:
        packages = QuotePackage.objects.filter(packages_matching(text, people=people))
        return Q(order_reference=text.strip()) | Q(package__in=packages.values("pk"))

    @admin.display(description=_("state"))
    def state_badge(self, row: Hold) -> SafeString:
        return hold_badge(row)

    @admin.display(description=_("premium"))
    def premium_shown(self, row: Hold) -> str:
        return format_amount(row.premium) if row.premium else str(_("without cover"))

    @admin.display(description=_("order"))
    def order(self, row: Hold) -> SafeString | str:
        reference = row.order_reference
        if not reference:
            return "-"
        # The timeline belongs to the order's package; an order without cover has none.
        has_story = row.package is not None and row.package.order_reference == reference
        return display.link(display.story_url(reference), reference) if has_story else reference

    @admin.display(description=_("package"))
    def package_link(self, row: Hold) -> SafeString | str:
        return display.package_link(row.package) if row.package else "-"

    @admin.display(description=_("expires at"))
    def expiry(self, row: Hold) -> object:
        return "-" if row.is_resolved else row.expires_at

    @admin.display(description=_("choices"))
    def choices_shown(self, row: Hold) -> SafeString | str:
        lines = (
            (
                frozen["quote"],
                Choice(frozen["choice"] or Choice.UNANSWERED).label,
                _price(frozen["price"], row),
                frozen["plan"],
            )
            for frozen in row.choices
        )
        return format_html_join("", "{}: {}, {} {}<br>", lines) or "-"


def _price(amount: str, row: Hold) -> str:
    currency = row.package.currency if row.package else row.currency
    return format_amount(Money(Decimal(amount), currency))
