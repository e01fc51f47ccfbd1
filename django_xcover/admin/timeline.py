"""The page with an order's timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from django_xcover.admin.common.display import (
    documents_of,
    flag_badges,
    may_view,
    page_url,
    policy_url,
    status_badge,
)
from django_xcover.admin.common.redaction import names_of, redact_text
from django_xcover.admin.common.workflows import steps_shown
from django_xcover.formats import format_amount
from django_xcover.mirror.history import may_see_people, record_access
from django_xcover.models import BOOKED, AccessRecord, QuotePackage
from django_xcover.support.events import Event
from django_xcover.support.order_summary import PolicyAnswers
from django_xcover.support.timeline import order_story

STORY = "admin/xcover/order_story.html"
MISSING = "admin/xcover/order_missing.html"


def story_page(
    model_admin: ModelAdmin[QuotePackage], request: HttpRequest, reference: str
) -> HttpResponse:
    """Return the timeline of the order `reference`; a 404 page with hints if it has no cover."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    site = model_admin.admin_site
    context: dict[str, Any] = {**site.each_context(request), "opts": model_admin.opts}
    context |= {"reference": reference, "media": model_admin.media}
    story = order_story(reference)
    if story is None:
        context["title"] = _("No cover for order %(reference)s") % {"reference": reference}
        return TemplateResponse(request, MISSING, context, status=404)
    events = [event for event in story.events if may_view(request, event.row)]
    names = names_of(event.by for event in events)
    if may_see_people(request):
        record_access(request, AccessRecord.What.PAGE, "order", order_reference=reference)
    context |= {
        "title": _("Order %(reference)s") % {"reference": reference},
        "order_url": story.order_url,
        "packages": [_package(package) for package in story.packages],
        "answers": [_answers(request, answers) for answers in story.answers],
        "events": [_event(event, names, people=may_see_people(request)) for event in events],
        "is_under_way": story.is_under_way,
        "steps": steps_shown(request, site, story.next_steps),
        "has_hidden_steps": bool(story.next_steps),
        "way_back": request.path,
    }
    return TemplateResponse(request, STORY, context)


def _package(package: QuotePackage) -> dict[str, Any]:
    return {
        "url": page_url(package),
        "package_id": package.package_id,
        "status": status_badge(package),
        "flags": flag_badges(package),
        "total": format_amount(package.total),
    }


def _answers(request: HttpRequest, answers: PolicyAnswers) -> dict[str, Any]:
    person = answers.package.answer.policyholder
    who = (person.first_name, person.last_name, answers.package.policyholder_email)
    facts = (
        (_("What is insured"), answers.insures),
        (_("Policy"), answers.policy),
        (_("Period"), answers.period),
        (_("Price"), answers.cost),
        (_("How it is paid"), answers.payment),
        (_("Policyholder"), " ".join(filter(None, who)) if may_see_people(request) else ""),
        (_("What happens next"), answers.next),
    )
    return {
        "covered": answers.covered,
        "tone": answers.tone.value,
        "facts": [(label, value) for label, value in facts if value],
        "documents": documents_of(request, answers.quote) if answers.quote else [],
        "url": policy_url(answers.quote)
        if answers.quote and answers.quote.status in BOOKED
        else "",
    }


def _event(event: Event, names: Mapping[str, str], *, people: bool) -> dict[str, Any]:
    discreet = {} if people else event.discreet
    values = [(label, discreet.get(label, value)) for label, value in event.facts]
    facts = [(_("By"), names.get(event.by, "")), *values]
    title = event.title if people else event.discreet_title or event.title
    return {
        "at": event.at,
        "title": redact_text(title),
        "tone": event.tone.value,
        "url": page_url(event.row),
        "facts": [(label, redact_text(value)) for label, value in facts if value],
    }
