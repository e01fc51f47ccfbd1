"""The gallery: every state of the offer, with switches and a theme editor. For developers."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language_info, override
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from django_xcover.testing.gallery import LOOKS, states

# Nothing inline and nothing from elsewhere. The offers on the page send no forms.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action {form_action}; "
    "require-trusted-types-for 'script'; trusted-types shop"
)


class Switches(forms.Form):
    """How the states are shown. Each field has a default, which an unusable value falls back to."""

    look = forms.ChoiceField(choices=[(look, look.capitalize()) for look in LOOKS])
    language = forms.ChoiceField(
        choices=lambda: [
            (code, get_language_info(code)["name_local"]) for code, _ in settings.LANGUAGES
        ]
    )
    scheme = forms.ChoiceField(
        label="Colours", choices=[("auto", "Like the system"), ("light", "Light"), ("dark", "Dark")]
    )
    direction = forms.ChoiceField(
        choices=[
            ("auto", "Of the language"),
            ("ltr", "Left to right"),
            ("rtl", "Right to left"),
        ]
    )
    width = forms.ChoiceField(
        choices=[("full", "Desktop"), ("390", "390 pixels"), ("320", "320 pixels")]
    )

    @classmethod
    def of(cls, request: HttpRequest) -> Switches:
        """Return the form with the choices of the request, and defaults for the others."""
        sent = cls(request.GET)
        usable = sent.cleaned_data if sent.is_valid() else getattr(sent, "cleaned_data", {})
        defaults = {name: _first(field) for name, field in cls.base_fields.items()}
        form = cls({**defaults, **{name: value for name, value in usable.items() if value}})
        form.is_valid()
        return form


def _first(field: forms.Field) -> str:
    choices = field.choices  # type: ignore[attr-defined]
    return str(next(iter(choices))[0])


@dataclass(frozen=True, slots=True)
class Property:
    """A custom property of the offer. `unit` is "" for a colour."""

    name: str
    label: str
    default: str
    unit: str = ""
    most: int = 0


PROPERTIES = (
    Property("--xcover-accent", "Accent", "#0b57d0"),
    Property("--xcover-on-accent", "On the accent", "#ffffff"),
    Property("--xcover-text", "Text", "#1d1722"),
    Property("--xcover-muted", "Paler text", "#5f5866"),
    Property("--xcover-surface", "Surface", "#ffffff"),
    Property("--xcover-border", "Border", "#d6d3d9"),
    Property("--xcover-error", "Error", "#b3261e"),
    Property("--xcover-radius", "Radius", "12", "px", 32),
    Property("--xcover-gap", "Gap between quotes", "16", "px", 48),
    Property("--xcover-waiting-size", "Height while loading", "352", "px", 640),
)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show the switches, the theme editor, and the states in a frame."""
    form = Switches.of(request)
    context = {"switches": form, "chosen": form.cleaned_data, "properties": PROPERTIES}
    response = render(request, "shop/gallery.html", context)
    response["Content-Security-Policy"] = POLICY.format(form_action="'self'")
    return response


@require_safe
@xframe_options_sameorigin
def offer(request: HttpRequest) -> HttpResponse:
    """Show all states on a page without the shop's own style, so that the package's is seen."""
    chosen = Switches.of(request).cleaned_data
    with override(chosen["language"]):
        context = {"chosen": chosen, "states": states(request, look=chosen["look"])}
        response = render(request, "shop/gallery_states.html", context)
    response["Content-Security-Policy"] = POLICY.format(form_action="'none'")
    return response
