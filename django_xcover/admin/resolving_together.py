"""Marking many bookings that are unknown here as looked into, after a page that says how many."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from django_xcover.admin.base import MirrorAdmin
from django_xcover.admin.resolving import ResolveForm
from django_xcover.models import Discrepancy
from django_xcover.services import card_numbers, reconciling
from django_xcover.services.amounts import format_amount
from django_xcover.services.reconciling import resolving

CONFIRM = "admin/xcover/resolve_together.html"
SEEN = re.compile(r"(\d{1,18}):([0-9a-f]{12})")
# As many of them stand on the page, so that nobody marks what he has not seen one of.
EXAMPLES = 5
DONE = gettext_lazy("%(package)s was marked as looked into (%(kind)s): %(note)s")


class TogetherForm(ResolveForm):
    """One note for all, and what of each was on the page."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def clean_seen(self) -> dict[int, str]:
        """Return the fingerprint of each row by its key."""
        pairs = [SEEN.fullmatch(pair) for pair in self.cleaned_data["seen"].split()]
        if not 0 < len(pairs) <= resolving.LIMIT or not all(pairs):
            raise ValidationError(_("The page came back incomplete."))
        return {int(pair[1]): pair[2] for pair in pairs if pair}


def ask(model_admin: MirrorAdmin, request: HttpRequest, chosen: QuerySet[Discrepancy]) -> Any:
    """Return the page that says how many of the `chosen` rows would be marked, None for none."""
    found = list(resolving.strangers(chosen)[: resolving.LIMIT])
    if not found:
        told = _("Nothing to mark: choose open discrepancies that are “unknown to us”.")
        messages.warning(request, told)
        return None
    seen = " ".join(f"{row.pk}:{resolving.fingerprint(row)}" for row in found)
    form = TogetherForm(initial={"seen": seen})
    return _page(model_admin, request, form, found, left_out=chosen.count() - len(found))


def mark(model_admin: MirrorAdmin, request: HttpRequest) -> HttpResponse:
    """Mark what the page has shown, and say what was left as it is."""
    if not model_admin.has_resolve_permission(request):  # type: ignore[attr-defined]
        raise PermissionDenied
    try:
        card_numbers.refuse({"note": request.POST.getlist("note")})
    except card_numbers.CardNumberSent as refusal:
        messages.error(request, str(refusal))
        return _to_the_list()
    form = TogetherForm(request.POST)
    if form.is_valid():
        _carry_out(request, **form.cleaned_data)
        return _to_the_list()
    if "seen" in form.errors:
        messages.error(request, _("Nothing was done: the page came back incomplete."))
        return _to_the_list()
    found = list(resolving.strangers(Discrepancy.objects.filter(pk__in=form.cleaned_data["seen"])))
    return _page(model_admin, request, form, found, left_out=0)


def _carry_out(request: HttpRequest, *, note: str, seen: dict[int, str]) -> None:
    # Together, so that nothing is done without a name to it.
    with transaction.atomic():
        done = reconciling.resolve_all(seen, by=str(request.user.pk), note=note)
        LogEntry.objects.bulk_create(_entries(request, done, note), batch_size=resolving.CHUNK)
    told = ngettext(
        "%(count)s discrepancy was marked as looked into.",
        "%(count)s discrepancies were marked as looked into.",
        len(done),
    )
    messages.success(request, told % {"count": len(done)})
    _tell_of_skipped(request, len(seen) - len(done))


def _tell_of_skipped(request: HttpRequest, count: int) -> None:
    if count:
        told = ngettext(
            "%(count)s was left as it is: it is not open any more, or has changed. Look again.",
            "%(count)s were left as they are: not open any more, or changed. Look again.",
            count,
        )
        messages.warning(request, told % {"count": count})


def _entries(request: HttpRequest, done: list[Discrepancy], note: str) -> list[LogEntry]:
    kind = ContentType.objects.get_for_model(Discrepancy)
    return [
        LogEntry(
            user_id=str(request.user.pk),
            content_type=kind,
            object_id=str(row.pk),
            object_repr=str(row)[:200],
            action_flag=CHANGE,
            change_message=DONE
            % {"package": row.package_id, "kind": row.get_kind_display(), "note": note},
        )
        for row in done
    ]


def _page(
    model_admin: MirrorAdmin,
    request: HttpRequest,
    form: TogetherForm,
    found: list[Discrepancy],
    *,
    left_out: int,
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "title": _("Mark as looked into"),
        "count": len(found),
        "money": [format_amount(money) for money in resolving.money_of(found)],
        "examples": found[:EXAMPLES],
        "more": len(found) - len(found[:EXAMPLES]),
        "left_out": left_out,
        "form": form,
    }
    return TemplateResponse(request, CONFIRM, context)


def _to_the_list() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:xcover_discrepancy_changelist"))
