"""The admin of quote packages and bookings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover import converters  # noqa: F401 - registers what `path` takes
from django_xcover.admin.cancellations import PreviewCancellation
from django_xcover.admin.common.base import section
from django_xcover.admin.common.display import (
    BAD,
    WITHOUT_KEYS,
    attention_badge,
    badge,
    folded_json,
    order_link,
    status_badge,
)
from django_xcover.admin.common.filters import (
    AccountFilter,
    AttentionFilter,
    CreatedFilter,
    StatusFilter,
    packages_matching,
)
from django_xcover.admin.common.row_actions import (
    ListActionAdmin,
    Outcome,
    RowAction,
    RowActionsAdmin,
    error_texts,
)
from django_xcover.admin.common.workflows import steps_shown, with_steps
from django_xcover.admin.inlines import (
    CancellationInline,
    DecisionInline,
    ModificationInline,
    OperationInline,
    QuoteInline,
    RenewalInline,
)
from django_xcover.admin.modifications import ChangeDetails
from django_xcover.admin.timeline import story_page
from django_xcover.client import AuthenticationFailed, XCoverError
from django_xcover.formats import format_amount
from django_xcover.mirror import refresh as refreshing
from django_xcover.models import (
    BOOKED,
    Cancellation,
    Modification,
    Operation,
    QuotePackage,
    Renewal,
    Status,
)
from django_xcover.policies import emails
from django_xcover.support.timeline import TO_DO, package_next_steps

EVENTS = (
    ("", gettext_lazy("For the booking's current status")),
    (emails.CREATED, gettext_lazy("Booking made")),
    (emails.UPDATED, gettext_lazy("Booking changed")),
)
CANCELLED = (emails.CANCELLED, gettext_lazy("Booking cancelled"))


class EmailForm(forms.Form):
    def __init__(self, package: QuotePackage, data: Any = None) -> None:
        super().__init__(data)
        is_cancelled = package.status == Status.CANCELLED
        self.fields["event"] = forms.ChoiceField(
            label=_("Which e-mail"),
            choices=(*EVENTS, CANCELLED) if is_cancelled else EVENTS,
            required=False,
        )


class SendEmail(RowAction):
    """Ask XCover to send one of its e-mails again."""

    name = "email"
    label = gettext_lazy("Send e-mail again…")
    button = gettext_lazy("Send it")
    permission = "send_email"
    note = gettext_lazy("XCover sends it to the policyholder's e-mail address in its records.")

    def fits(self, row: QuotePackage) -> bool:
        return row.status in BOOKED

    def form(self, row: QuotePackage, data: Any = None) -> forms.Form:
        return EmailForm(row, data)

    def carry_out(self, request: HttpRequest, row: QuotePackage, values: dict[str, Any]) -> Outcome:
        operation = emails.send_again(row, values["event"])
        text = _("Asking XCover to send the e-mail for %(package)s again (%(event)s).")
        context = {"package": row.package_id, "event": values["event"] or row.status}
        return Outcome(sentence=text % context, leads_to=operation)


@admin.register(QuotePackage)
class QuotePackageAdmin(ListActionAdmin, RowActionsAdmin):
    """Packages. "Refresh from XCover" calls XCover while the user waits, so its limit is low."""

    action_name = "refresh"
    action_label = gettext_lazy("Refresh from XCover")
    action_limit = 20
    actions = ("refresh",)
    row_actions = (PreviewCancellation(), ChangeDetails(), SendEmail())

    list_display = (
        "package_id",
        "order",
        "status_and_attention",
        "email",
        "created_at",
    )
    list_filter = (StatusFilter, AttentionFilter, AccountFilter, CreatedFilter)
    inlines = (
        QuoteInline,
        CancellationInline,
        ModificationInline,
        RenewalInline,
        DecisionInline,
        OperationInline,
    )
    heavy = ("payload",)
    personal = frozenset({"email", "policyholder_email", "answer"})
    fieldsets = (
        section(
            None,
            "order",
            ("status_badge", "attention_badge"),
            ("total_shown", "policyholder_email"),
        ),
        section(
            gettext_lazy("Where and when"),
            "account",
            ("customer_country", "customer_language"),
            "cart_reference",
            ("quoted_at", "booked_at"),
            ("created_at", "updated_at"),
            folded=True,
        ),
        section(gettext_lazy("XCover's last answer"), "answer", note=WITHOUT_KEYS, folded=True),
    )
    readonly_fields = ("order", "status_badge", "attention_badge", "total_shown", "answer")

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuotePackage]:
        stopped = Operation.objects.needing_person().filter(package=OuterRef("pk"))
        rows: QuerySet[QuotePackage] = super().get_queryset(request)
        return rows.annotate(is_stopped=Exists(stopped))

    def matching(self, text: str, *, people: bool) -> Q:
        return packages_matching(text, people=people)

    # No transaction stays open during a call to XCover, even with ATOMIC_REQUESTS.
    @method_decorator(transaction.non_atomic_requests)
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    @method_decorator(transaction.non_atomic_requests)
    def action_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return super().action_view(request, object_id)

    @admin.action(description=gettext_lazy("Refresh from XCover"), permissions=["action"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[QuotePackage]) -> None:
        self.perform_on_chosen(request, queryset)

    def perform(self, row: QuotePackage) -> Outcome:
        try:
            fresh = refreshing.refresh(row)
        except XCoverError as error:
            return _refused(row, error)
        except ImproperlyConfigured as error:
            return Outcome(sentence=f"{row.package_id}: {error}", level=messages.ERROR)
        text = _("Refreshed %(package)s from XCover. Its status is %(status)s.")
        return Outcome(sentence=text % {"package": row.package_id, "status": fresh.status})

    def get_inlines(self, request: HttpRequest, obj: QuotePackage | None) -> Any:
        """Return the inlines that have rows."""
        if obj is None:
            return self.inlines
        # Only for this page: actions read their rows again.
        prefetch_related_objects([obj], *TO_DO)
        rows: dict[type[Model], Any] = {
            Cancellation: obj.cancellations.all(),
            Modification: obj.modifications.all(),
            Renewal: obj.renewals.all(),
        }
        return [inline for inline in self.inlines if rows.get(inline.model, True)]

    def page_context(self, request: HttpRequest, row: QuotePackage) -> dict[str, Any]:
        steps = steps_shown(request, self.admin_site, package_next_steps(row))
        return with_steps(super().page_context(request, row), steps)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.story_view)
        story = path("order/<xcover_reference:reference>/", view, name="xcover_order_story")
        return [story, *super().get_urls()]

    def story_view(self, request: HttpRequest, reference: str) -> HttpResponse:
        """Show the timeline of one order."""
        return story_page(self, request, reference)

    @admin.display(description=gettext_lazy("order"))
    def order(self, row: QuotePackage) -> SafeString | str:
        return order_link(row) or "-"

    @admin.display(description=gettext_lazy("status"))
    def status_badge(self, row: QuotePackage) -> SafeString:
        return status_badge(row)

    @admin.display(description=gettext_lazy("status, attention"))
    def status_and_attention(self, row: QuotePackage) -> SafeString:
        # One column, because the right half of a list is off most screens.
        return format_html("{} {}", status_badge(row), self._attention(row))

    @admin.display(description=gettext_lazy("attention"))
    def attention_badge(self, row: QuotePackage) -> SafeString | str:
        return self._attention(row) or "-"

    # A short heading: the field's own pushes the next column off the screen at 1280 pixels.
    @admin.display(
        description=gettext_lazy("E-mail"), ordering="policyholder_email", empty_value="-"
    )
    def email(self, row: QuotePackage) -> str:
        return row.policyholder_email

    @admin.display(description=gettext_lazy("total"))
    def total_shown(self, row: QuotePackage) -> str:
        return format_amount(row.total)

    @admin.display(description=gettext_lazy("answer"))
    def answer(self, row: QuotePackage) -> SafeString:
        return folded_json(row.payload)

    @staticmethod
    def _attention(row: QuotePackage) -> SafeString:
        badges = [attention_badge(row)] if row.attention else []
        badges += [badge(_("operation stopped"), BAD)] if getattr(row, "is_stopped", False) else []
        return format_html_join(" ", "{}", ((item,) for item in badges))


def _refused(row: QuotePackage, error: XCoverError) -> Outcome:
    # The other packages would hit the same outage or wrong key.
    stop = not error.permanent or isinstance(error, AuthenticationFailed)
    brief, in_full = error_texts(error)
    text = _("%(package)s wasn't refreshed. %(error)s")
    return Outcome(
        sentence=text % {"package": row.package_id, "error": brief},
        in_full=text % {"package": row.package_id, "error": in_full},
        level=messages.ERROR,
        stop=stop,
    )
