"""The admin of the log of accesses to personal data."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.base import MirrorAdmin, section
from django_xcover.admin.redaction import names_of
from django_xcover.models import AccessRecord


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
