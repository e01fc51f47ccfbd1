"""Columns that several of our lists and pages show."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin import links
from django_xcover.admin.redaction import pretty, redact_text
from django_xcover.models import Operation, OperationState
from django_xcover.services.advice import in_plain_words
from django_xcover.services.next_steps import moment

WITHOUT_KEYS = _("Without the links and tokens that let their holder act for the customer.")


class OfPackage:
    """Columns of rows with a `package`."""

    @admin.display(description=_("package"))
    def package_link(self, row: Any) -> SafeString:
        return links.package_link(row.package)

    @admin.display(description=_("order"))
    def order(self, row: Any) -> SafeString | str:
        return links.order_link(row.package) or "-"


def folded_json(value: Any) -> SafeString:
    """Return the JSON value `value`, redacted, behind a summary that opens it."""
    if not value:
        return format_html("{}", "-")
    return format_html(
        '<details class="xcover-json"><summary>{}</summary><pre>{}</pre></details>',
        _("Show"),
        pretty(value),
    )


def last_error(operation: Operation) -> str:
    """Return the last error in one line, "-" for none."""
    return redact_text(in_plain_words(operation.error)) or "-"


def next_attempt(operation: Operation) -> str:
    """Return when a waiting operation is tried again, "-" for one that is not."""
    is_waiting = operation.state == OperationState.PENDING
    return moment(operation.next_attempt_at) if is_waiting else "-"
