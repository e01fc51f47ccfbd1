"""Actions on a row, from its list and from buttons on its page, with a log entry.

Each button is a form, sent by POST with a CSRF token.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from django_xcover import exceptions, validators
from django_xcover.admin.common.base import MirrorAdmin
from django_xcover.admin.common.display import page_url
from django_xcover.admin.common.redaction import redact_text
from django_xcover.client import XCoverError
from django_xcover.exceptions import ActionRefused
from django_xcover.mirror import history
from django_xcover.mirror.history import may_see_people
from django_xcover.outbox.operations import Failure
from django_xcover.support.failure_texts import in_plain_words, without_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an action, as a sentence. `stop` means that other rows would fail as well.

    `in_full` includes XCover's message, which can repeat what a customer typed. Users who may see
    people get it instead of `sentence`; it is never logged.

    The browser is redirected to the page of `leads_to`. The rows in `also` get the same log entry.
    """

    sentence: str
    in_full: str = ""
    level: int = messages.SUCCESS
    log: bool = True
    stop: bool = False
    leads_to: Model | None = None
    also: tuple[Model, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A form with one button: its URL and label."""

    url: str
    label: str


class ListActionAdmin(MirrorAdmin):
    """A list with one action on its rows, which requires a permission."""

    action_name: ClassVar[str]
    action_label: ClassVar[Any]
    action_limit: ClassVar[int]

    def perform(self, row: Any) -> Outcome:
        """Do the action on `row` and return the outcome. Expected failures are outcomes, too."""
        raise NotImplementedError

    def has_action_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may do the action (Django's `permissions=["action"]`)."""
        codename = f"{self.opts.app_label}.{self.action_name}_{self.opts.model_name}"
        return request.user.has_perm(codename) and self.has_view_permission(request, obj)

    def perform_on_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Do the action on the chosen rows, one by one, with a message for each."""
        rows = list(queryset[: self.action_limit + 1])
        if len(rows) > self.action_limit:
            text = _("Nothing was done: choose at most %(limit)s at a time.")
            messages.error(request, text % {"limit": self.action_limit})
            return
        for index, row in enumerate(rows, start=1):
            if self.do(request, row).stop:
                self._report_rest(request, len(rows) - index)
                return

    @method_decorator(require_POST)
    def action_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Do the action on one row and redirect back to the button's page."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_action_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404(_("This row doesn't exist."))
        self.do(request, row)
        return HttpResponseRedirect(way_back(request) or page_url(row))

    def do(self, request: HttpRequest, row: Any) -> Outcome:
        """Do the action on `row`, show the outcome and log it."""
        return self.report(request, row, self.perform(row))

    def report(self, request: HttpRequest, row: Any, outcome: Outcome) -> Outcome:
        """Show the outcome to the user and log it."""
        _show(request, outcome)
        if outcome.log:
            self.log_change(request, row, outcome.sentence)
            history.record_staff_action(
                row, action=self.action_name, by=str(request.user.pk), sentence=outcome.sentence
            )
        return outcome

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.action_view)
        ours = path(f"<path:object_id>/{self.action_name}/", view, name=self.action_url_name)
        return [ours, *super().get_urls()]

    @property
    def action_url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{self.action_name}"

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        context = super().page_context(request, row)
        return context | self.button_context(request, row)

    def button_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the page's button if this user may press it."""
        return {"button": self.button(row)} if self.has_action_permission(request, row) else {}

    def button(self, row: Model) -> Button:
        """Return the button for `row`."""
        url = reverse(f"admin:{self.action_url_name}", args=(row.pk,))
        return Button(url=url, label=str(self.action_label))

    @staticmethod
    def _report_rest(request: HttpRequest, count: int) -> None:
        if count:
            text = ngettext(
                "%(count)s more was not tried.", "%(count)s more were not tried.", count
            )
            messages.warning(request, text % {"count": count})


def _show(request: HttpRequest, outcome: Outcome) -> None:
    in_full = outcome.in_full if may_see_people(request) else ""
    messages.add_message(request, outcome.level, in_full or outcome.sentence)


def way_back(request: HttpRequest) -> str:
    """Return the URL of the button's page if it is on this site, else ""."""
    url = request.POST.get("next", "")
    secure = request.is_secure()
    known = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=secure)
    return url if known else ""


ACTION_PAGE = "admin/xcover/row_action.html"


class NoFields(forms.Form):
    """The form of an action without input."""


class RowAction:
    """An action on a row, with a form.

    `name` is part of its URL, `label` is its heading and `button` the text of its button. An
    `is_main` action is expanded on the page; the others are collapsed. `is_final` marks actions
    that can't be undone. An action that `asks_xcover` calls it while the user waits, outside any
    transaction. If the form `shows_people`, the user needs the permission to see personal data.
    """

    name: ClassVar[str]
    label: ClassVar[Any]
    button: ClassVar[Any] = ""
    permission: ClassVar[str]
    note: ClassVar[Any] = ""
    is_main: ClassVar[bool] = False
    is_final: ClassVar[bool] = False
    asks_xcover: ClassVar[bool] = False
    shows_people: ClassVar[bool] = False

    def fits(self, row: Any) -> bool:
        """Return whether the state of `row` allows the action."""
        raise NotImplementedError

    def form(self, row: Any, data: Any = None) -> forms.Form:
        """Return the form to fill in for `row`."""
        return NoFields(data)

    def carry_out(self, request: HttpRequest, row: Any, values: dict[str, Any]) -> Outcome:
        """Do the action and return the outcome; raise ActionRefused or XCoverError on failure."""
        raise NotImplementedError

    def note_for(self, row: Any) -> Any:
        """Return the text to show before the action."""
        return self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAction:
    """An action as shown on a page."""

    name: str
    url: str
    label: str
    button: str
    note: str
    form: forms.Form
    is_main: bool
    is_final: bool


class RowActionsAdmin(MirrorAdmin):
    """Rows with actions. Each action needs its own permission and the row's view permission."""

    row_actions: ClassVar[tuple[RowAction, ...]] = ()

    def may(self, request: HttpRequest, action: RowAction, row: Any) -> bool:
        """Return whether this user may do `action` to `row`."""
        permission = f"{self.opts.app_label}.{action.permission}"
        may = request.user.has_perm(permission) and self.has_view_permission(request, row)
        return may and (not action.shows_people or may_see_people(request))

    def shown_actions(
        self, request: HttpRequest, row: Any, names: Container[str] | None = None
    ) -> list[ShownAction]:
        """Return the possible actions of this user on `row`, limited to `names` if given."""
        named = (action for action in self.row_actions if names is None or action.name in names)
        fitting = (
            action for action in named if action.fits(row) and self.may(request, action, row)
        )
        return [self.shown_action(action, row) for action in fitting]

    def shown_action(
        self, action: RowAction, row: Any, form: forms.Form | None = None
    ) -> ShownAction:
        """Return `action` with an empty form, or with the submitted `form`."""
        return ShownAction(
            name=action.name,
            button=str(action.button or action.label),
            url=reverse(f"admin:{self._url_name(action)}", args=(row.pk,)),
            label=str(action.label),
            note=str(action.note_for(row)),
            form=form or action.form(row),
            is_main=action.is_main or form is not None,
            is_final=action.is_final,
        )

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return super().page_context(request, row) | {
            "row_actions": self.shown_actions(request, row)
        }

    def get_urls(self) -> list[URLPattern]:
        ours = [
            path(
                f"<path:object_id>/{action.name}/",
                self._view_of(action),
                name=self._url_name(action),
            )
            for action in self.row_actions
        ]
        return [*ours, *super().get_urls()]

    def _url_name(self, action: RowAction) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{action.name}"

    def _view_of(self, action: RowAction) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            return self._answer(request, action, self.get_object(request, unquote(object_id)))

        # No transaction stays open during a call to XCover, even with ATOMIC_REQUESTS.
        return transaction.non_atomic_requests(self.admin_site.admin_view(view))

    def _answer(self, request: HttpRequest, action: RowAction, row: Any) -> HttpResponse:
        if not self.may(request, action, row):
            raise PermissionDenied
        if row is None:
            raise Http404(_("This row doesn't exist."))
        try:
            # Checked first, so that a card number is neither shown again nor stored.
            validators.refuse(
                {name: request.POST.getlist(name) for name in action.form(row).fields}
            )
        except exceptions.CardNumberSent as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(page_url(row))
        form = action.form(row, request.POST)
        if not form.is_valid():
            return self._ask_again(request, action, row, form)
        outcome = self._do(request, action, row, form.cleaned_data)
        back = way_back(request) or page_url(row)
        return HttpResponseRedirect(page_url(outcome.leads_to) if outcome.leads_to else back)

    def _ask_again(
        self, request: HttpRequest, action: RowAction, row: Any, form: Any
    ) -> HttpResponse:
        if action.shows_people:
            self.record_page(request, row)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": str(action.label).rstrip("…"),
            "row": row,
            "row_url": page_url(row),
            "action": self.shown_action(action, row, form),
        }
        return TemplateResponse(request, ACTION_PAGE, context)

    def _do(
        self, request: HttpRequest, action: RowAction, row: Any, values: dict[str, Any]
    ) -> Outcome:
        if action.asks_xcover:
            return self._report(request, action, row, _attempt(action, request, row, values))
        # One transaction, so that each change has a log entry with the user.
        with transaction.atomic():
            return self._report(request, action, row, _attempt(action, request, row, values))

    def _report(
        self, request: HttpRequest, action: RowAction, row: Model, outcome: Outcome
    ) -> Outcome:
        _show(request, outcome)
        if not outcome.log:
            return outcome
        for logged in (row, *outcome.also):
            self.log_change(request, logged, outcome.sentence)
        history.record_staff_action(
            row, action=action.name, by=str(request.user.pk), sentence=outcome.sentence
        )
        return outcome


def _attempt(action: RowAction, request: HttpRequest, row: Any, values: dict[str, Any]) -> Outcome:
    try:
        return action.carry_out(request, row, values)
    except ActionRefused as refusal:
        return _refused(refusal)
    except XCoverError as error:
        return _failed(error)
    except ImproperlyConfigured as error:
        return Outcome(sentence=str(error), level=messages.ERROR, log=False)


def _refused(refusal: ActionRefused) -> Outcome:
    fields: Mapping[str, Iterable[str]] = getattr(refusal, "field_errors", None) or {}
    words = [f"{name}: {' '.join(texts)}" for name, texts in fields.items()]
    return Outcome(
        sentence=redact_text(" ".join([str(refusal), ", ".join(fields)]).strip()),
        in_full=redact_text(" ".join([str(refusal), *words])),
        level=messages.ERROR,
        log=False,
    )


def _failed(error: XCoverError) -> Outcome:
    brief, in_full = error_texts(error)
    sentence = _("Nothing was done. %(error)s")
    return Outcome(
        sentence=sentence % {"error": brief},
        in_full=sentence % {"error": in_full},
        level=messages.ERROR,
        log=False,
    )


def error_texts(error: XCoverError) -> tuple[str, str]:
    """Return the error text without XCover's message, and with it."""
    failure = asdict(Failure.from_vendor(error))
    return redact_text(without_words(failure)), redact_text(in_plain_words(failure))
