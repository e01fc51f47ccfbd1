"""The admin of the daily numbers of offers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.common.base import MirrorAdmin, section
from django_xcover.admin.common.filters import AccountFilter
from django_xcover.models import OfferDay
from django_xcover.offers import statistics


class DaysFilter(admin.SimpleListFilter):
    """The past days up to today."""

    title = _("day")
    parameter_name = "days"
    LOOKUPS = (
        ("1", _("Today")),
        ("7", _("Past 7 days")),
        ("30", _("Past 30 days")),
        ("365", _("Past year")),
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.LOOKUPS)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in dict(self.LOOKUPS):
            return queryset
        return queryset.filter(
            day__gt=timezone.localdate() - timedelta(days=int(self.value() or 0))
        )


@admin.register(OfferDay)
class OfferDayAdmin(MirrorAdmin):
    """The numbers, newest day first, with the sums of what is listed above them."""

    change_list_template = "admin/xcover/offer_days.html"
    list_display = (
        "day",
        "count",
        "result",
        "reason",
        "is_ordered",
        "placement",
        "look",
        "latency",
        "account",
    )
    list_filter = (DaysFilter, AccountFilter, "result", "reason", "latency", "look", "is_ordered")
    ordering: ClassVar[Any] = ("-day", "-pk")
    search_help_text = _("Placement or account.")
    fieldsets = (
        section(None, "day", "account", ("placement", "look"), "latency"),
        section(None, "result", "reason", "is_ordered", "count"),
    )

    def matching(self, text: str, *, people: bool) -> Q:
        return Q(placement=text.strip()) | Q(account=text.strip())

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Add the sums of all rows that the filters leave."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            context["totals"] = statistics.totals(context["cl"].queryset)
        return response
