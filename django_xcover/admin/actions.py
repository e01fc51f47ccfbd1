"""What staff may do to a row, from its list and from a button on its page, with a log entry.

A page carries its button as a form: it is sent by POST with a CSRF token, and never by a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from django_xcover.admin.base import MirrorAdmin
from django_xcover.admin.links import page_url
from django_xcover.services import history


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it, as a sentence. `stop`: the rows after this one would fare no better.

    `leads_to` is the row whose page shows how it goes on. What is logged is logged of the rows
    `also` as well.
    """

    sentence: str
    level: int = messages.SUCCESS
    log: bool = True
    stop: bool = False
    leads_to: Model | None = None
    also: tuple[Model, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A form with one button: where it posts to and what stands on it."""

    url: str
    label: str


class ActingAdmin(MirrorAdmin):
    """A list whose rows can have one thing done to them, for those with the permission `act`."""

    act_name: ClassVar[str]
    act_label: ClassVar[Any]
    act_limit: ClassVar[int]

    def act(self, row: Any) -> Outcome:
        """Do it to `row` and say what came of it; raise nothing that staff could not mend."""
        raise NotImplementedError

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may do it; asked for `permissions=["act"]` of a list action."""
        codename = f"{self.opts.app_label}.{self.act_name}_{self.opts.model_name}"
        return request.user.has_perm(codename) and self.has_view_permission(request, obj)

    def act_on(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Do it to the chosen rows, one after the other, and say of each what happened."""
        rows = list(queryset[: self.act_limit + 1])
        if len(rows) > self.act_limit:
            told = _("Nothing was done: choose at most %(limit)s at a time.")
            messages.error(request, told % {"limit": self.act_limit})
            return
        for index, row in enumerate(rows, start=1):
            if self.do(request, row).stop:
                self._tell_of_rest(request, len(rows) - index)
                return

    @method_decorator(require_POST)
    def act_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Do it to one row and go back to where the button was."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_act_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404(_("This row does not exist."))
        self.do(request, row)
        return HttpResponseRedirect(way_back(request) or page_url(row))

    def do(self, request: HttpRequest, row: Any) -> Outcome:
        """Do it to `row`, tell the user and write the log entry."""
        return self.tell(request, row, self.act(row))

    def tell(self, request: HttpRequest, row: Any, outcome: Outcome) -> Outcome:
        """Tell the user what came of it, and write the log entry."""
        messages.add_message(request, outcome.level, outcome.sentence)
        if outcome.log:
            self.log_change(request, row, outcome.sentence)
            history.record_staff_action(
                row, action=self.act_name, by=str(request.user.pk), sentence=outcome.sentence
            )
        return outcome

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.act_view)
        ours = path(f"<path:object_id>/{self.act_name}/", view, name=self.act_url_name)
        return [ours, *super().get_urls()]

    @property
    def act_url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{self.act_name}"

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        context = super().page_context(request, row)
        return context | self.button_context(request, row)

    def button_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the page's button for those who may press it."""
        return {"button": self.button(row)} if self.has_act_permission(request, row) else {}

    def button(self, row: Model) -> Button:
        """Return the button for `row`."""
        url = reverse(f"admin:{self.act_url_name}", args=(row.pk,))
        return Button(url=url, label=str(self.act_label))

    @staticmethod
    def _tell_of_rest(request: HttpRequest, count: int) -> None:
        if count:
            told = ngettext(
                "%(count)s more was not tried.", "%(count)s more were not tried.", count
            )
            messages.warning(request, told % {"count": count})


def way_back(request: HttpRequest) -> str:
    """Return the page that the button stood on, "" for none of this site."""
    url = request.POST.get("next", "")
    secure = request.is_secure()
    known = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=secure)
    return url if known else ""
