"""List filters that cost no query: their choices come from the code, never from the table."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
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
