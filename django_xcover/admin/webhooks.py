"""The admin of webhooks: what was received, its state, and "Replay"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.common.base import section
from django_xcover.admin.common.display import (
    BAD,
    GOOD,
    PLAIN,
    WAITING,
    badge,
    folded_json,
    package_link,
)
from django_xcover.admin.common.filters import AccountFilter, CreatedFilter, package_ids_matching
from django_xcover.admin.common.redaction import HIDDEN, redact_text
from django_xcover.admin.common.row_actions import ListActionAdmin, Outcome
from django_xcover.client.schemas.webhooks import FACTS, SHOWN
from django_xcover.models import QuotePackage, WebhookDelivery
from django_xcover.sync import webhooks

State = WebhookDelivery.State
CODE = re.compile(r"\w+")
TONES: dict[str, str] = {
    State.RECEIVED: WAITING,
    State.PROCESSING: WAITING,
    State.PROCESSED: GOOD,
    State.UNKNOWN: PLAIN,
    State.FAILED: BAD,
}
BODY_NOTE = gettext_lazy(
    "Shows only the values used to look up the booking, and the keys of the rest. The webhook is "
    "only a hint: XCover's API has the facts."
)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ListActionAdmin):
    """Verified webhooks, newest first. "Replay" processes one again."""

    action_name = "replay"
    action_label = gettext_lazy("Replay")
    action_limit = 100
    actions = ("replay_now",)

    shows_status_link = True
    list_display = ("what", "package_id", "state_badge", "received_at", "error_shown")
    list_filter = ("state", AccountFilter, CreatedFilter)
    heavy = ("body",)
    personal = frozenset({"error_shown", "body_shown"})
    instead: ClassVar = {"error_shown": "error_kind"}
    fieldsets = (
        section(None, "state_badge", ("what", "package"), "error_shown"),
        section(
            gettext_lazy("Attempts"),
            ("attempts", "failures"),
            ("received_at", "times_received", "processed_at"),
        ),
        section(
            gettext_lazy("Received"),
            ("account", "created_at"),
            "body_shown",
            note=BODY_NOTE,
        ),
    )
    readonly_fields = (
        "state_badge",
        "what",
        "package",
        "error_shown",
        "error_kind",
        "body_shown",
    )

    def matching(self, text: str, *, people: bool) -> Q:
        """Match packages as the other lists do, and package ids that are unknown here."""
        return Q(package_id__in=package_ids_matching(text, people=people))

    @admin.action(description=gettext_lazy("Replay"), permissions=["action"])
    def replay_now(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        self.perform_on_chosen(request, queryset)

    def perform(self, row: WebhookDelivery) -> Outcome:
        replayed = webhooks.replay(row)
        return Outcome(sentence=_("Processing %(webhook)s again.") % {"webhook": replayed})

    def do(self, request: HttpRequest, row: WebhookDelivery) -> Outcome:
        """Replay and log in one transaction, so that each replay has a log entry."""
        with transaction.atomic():
            return super().do(request, row)

    def page_context(self, request: HttpRequest, row: WebhookDelivery) -> dict[str, Any]:
        return super().page_context(request, row) | {"subtitle": str(row)}

    @admin.display(description=gettext_lazy("event"))
    def what(self, row: WebhookDelivery) -> str:
        return row.event or "-"

    @admin.display(description=gettext_lazy("package"))
    def package(self, row: WebhookDelivery) -> SafeString | str:
        ours = QuotePackage.objects.filter(account=row.account, package_id=row.package_id)
        package = ours.first() if row.package_id else None
        return package_link(package) if package else row.package_id or "-"

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, row: WebhookDelivery) -> SafeString:
        return badge(row.get_state_display(), TONES.get(row.state, PLAIN))

    @admin.display(description=gettext_lazy("last error"))
    def error_shown(self, row: WebhookDelivery) -> str:
        return redact_text(row.error) or "-"

    @admin.display(description=gettext_lazy("last error"))
    def error_kind(self, row: WebhookDelivery) -> str:
        """Return the code at the start of the error, without the sentence that may follow."""
        code = row.error.partition(":")[0]
        return code if CODE.fullmatch(code) else "-"

    @admin.display(description=gettext_lazy("body"))
    def body_shown(self, row: WebhookDelivery) -> SafeString:
        return folded_json(_without_values(row.body))


def _without_values(body: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """Return a body with its event, and the ids and status of its facts; other values hidden."""
    return {key: _value(value, *path, key) for key, value in body.items()}


def _value(value: Any, *path: str) -> Any:
    if path == FACTS and isinstance(value, Mapping):
        return _without_values(value, *path)
    return value if path in SHOWN and isinstance(value, str) else HIDDEN
