"""The page that tells an order's whole story."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from django_xcover.admin.badges import attention_badge, status_badge
from django_xcover.admin.links import may_view, page_url
from django_xcover.admin.redaction import redact_text
from django_xcover.admin.steps import steps_shown
from django_xcover.models import QuotePackage
from django_xcover.services.amounts import format_amount
from django_xcover.services.events import Event
from django_xcover.services.story import order_story

STORY = "admin/xcover/order_story.html"
MISSING = "admin/xcover/order_missing.html"


def story_page(
    model_admin: ModelAdmin[QuotePackage], request: HttpRequest, reference: str
) -> HttpResponse:
    """Return the story of the order `reference`; 404 with a way on when there is none."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    site = model_admin.admin_site
    context: dict[str, Any] = {**site.each_context(request), "opts": model_admin.opts}
    context |= {"reference": reference, "media": model_admin.media}
    story = order_story(reference)
    if story is None:
        context["title"] = _("No cover for order %(reference)s") % {"reference": reference}
        return TemplateResponse(request, MISSING, context, status=404)
    context |= {
        "title": _("Order %(reference)s") % {"reference": reference},
        "order_url": story.order_url,
        "packages": [_package(package) for package in story.packages],
        "events": [_event(event) for event in story.events if may_view(request, event.row)],
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
        "attention": attention_badge(package),
        "total": format_amount(package.total),
        "email": package.policyholder_email,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "title": event.title,
        "tone": event.tone.value,
        "url": page_url(event.row),
        "facts": [(label, redact_text(value)) for label, value in event.facts if value],
    }
