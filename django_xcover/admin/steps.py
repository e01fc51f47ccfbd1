"""Next steps with the buttons that the user may press."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from django_xcover.admin.actions import ActingAdmin, Button
from django_xcover.admin.acts import ActShown, StaffActs
from django_xcover.admin.links import may_view, page_url
from django_xcover.admin.redaction import redact_text
from django_xcover.models import Flag
from django_xcover.services.next_steps import NextStep


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """A next step as a page shows it; `error` is the last error of an operation.

    `acts` are the forms that do it, for those who may.
    """

    urgent: bool
    what: str
    to_do: str
    error: str
    url: str
    button: Button | None
    acts: tuple[ActShown, ...]


def steps_shown(
    request: HttpRequest, site: AdminSite, steps: Iterable[NextStep]
) -> list[StepShown]:
    """Return those of `steps` whose row this user may see."""
    return [_shown(request, site, step) for step in steps if may_view(request, step.row)]


def with_steps(context: dict[str, Any], steps: list[StepShown]) -> dict[str, Any]:
    """Return the context of a page with `steps`, whose forms it then does not show twice."""
    shown = {act.url for step in steps for act in step.acts}
    acts = [act for act in context.get("acts", ()) if act.url not in shown]
    return context | {"steps": steps, "acts": acts}


def _shown(request: HttpRequest, site: AdminSite, step: NextStep) -> StepShown:
    return StepShown(
        urgent=step.urgent,
        what=redact_text(step.what),
        to_do=step.to_do,
        error=redact_text(step.error),
        url=page_url(step.row),
        button=_button(request, site, step),
        acts=_acts(request, site, step),
    )


def _button(request: HttpRequest, site: AdminSite, step: NextStep) -> Button | None:
    row = step.row.package if isinstance(step.row, Flag) else step.row
    acting: object = site.get_model_admin(type(row))
    if not isinstance(acting, ActingAdmin) or step.remedy != acting.act_name:
        return None
    return acting.button(row) if acting.has_act_permission(request, row) else None


def _acts(request: HttpRequest, site: AdminSite, step: NextStep) -> tuple[ActShown, ...]:
    acting: object = site.get_model_admin(type(step.row))
    if not isinstance(acting, StaffActs):
        return ()
    return tuple(acting.acts_shown(request, step.row, step.acts))
