"""List filters that cost no query: their choices come from the code, never from the table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from django_xcover.conf import get_config
from django_xcover.models import BOOKED, Attention, Operation, Status


class StatusFilter(admin.SimpleListFilter):
    """XCover's statuses, by name."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class PolicyStatusFilter(StatusFilter):
    """The statuses a policy can have."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(status.value, status.label) for status in BOOKED]


class AttentionFilter(admin.SimpleListFilter):
    """Whether and why a person should look: at the booking, or at an operation that stopped."""

    title = _("attention")
    parameter_name = "attention"
    ANY = "any"
    STOPPED = "stopped"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (self.ANY, _("needs a look")),
            (self.STOPPED, _("an operation stopped")),
            *Attention.choices,
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        stopped = Q(pk__in=Operation.objects.needing_person().values("package"))
        wanted = {self.ANY: stopped | ~Q(attention=""), self.STOPPED: stopped}
        value = self.value()
        return queryset.filter(wanted.get(value, Q(attention=value))) if value else queryset


class CreatedFilter(admin.SimpleListFilter):
    """Today, the past seven days, and each of the past twelve months.

    In place of `date_hierarchy`, which reads the whole table to find out which months there are
    (measured on PostgreSQL: 2 s for 1,000,000 rows).
    """

    title = _("created")
    parameter_name = "created"
    MONTHS = 12

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, label) for value, label, _start, _end in self._periods()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for value, _label, start, end in self._periods():
            if value == self.value():
                return queryset.filter(created_at__gte=start, created_at__lt=end)
        return queryset

    def _periods(self) -> Iterator[tuple[str, Any, datetime, datetime]]:
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        tomorrow = today + timedelta(days=1)
        yield "today", _("Today"), today, tomorrow
        yield "week", _("Past 7 days"), today - timedelta(days=7), tomorrow
        start, end = today.replace(day=1), tomorrow
        for _month in range(self.MONTHS):
            yield f"{start:%Y-%m}", date_format(start, "YEAR_MONTH_FORMAT"), start, end
            start, end = (start - timedelta(days=1)).replace(day=1), start


class AccountFilter(admin.SimpleListFilter):
    """The XCover accounts in the settings; not there when there is only one."""

    title = _("account")
    parameter_name = "account"
    path = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        names = sorted(get_config().accounts)
        return [(name, name) for name in names] if len(names) > 1 else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


class PackageAccountFilter(AccountFilter):
    """The accounts, for rows with a `package`."""

    path = "package__account"
