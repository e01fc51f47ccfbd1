"""Asking what it costs to have something insured for another value."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from django_xcover.client import XCoverError
from django_xcover.models import Quote
from django_xcover.mycover.forms import ValueForm
from django_xcover.mycover.guarding import asks_and_acts
from django_xcover.mycover.replies import policy_page, see, sentence, status_of
from django_xcover.services.my_cover.policies import summarise
from django_xcover.services.my_cover.value import (
    InsuredValue,
    ValueNotChangeable,
    insured_value,
    quote_value,
)
from django_xcover.services.refusals import Refused


@asks_and_acts
def change_value(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Ask for the new value, and lead to the page with its price. Nothing is changed."""
    value = insured_value(quote)
    if value is None:
        words = str(ValueNotChangeable())
        return policy_page(request, quote, error=words, status=HTTPStatus.CONFLICT)
    form = ValueForm(request.POST if request.method == "POST" else None, value=value)
    if not form.is_valid():
        status = HTTPStatus.BAD_REQUEST if form.is_bound else HTTPStatus.OK
        return _page(request, quote, form, value, status=status)
    try:
        found = quote_value(quote, form.cleaned_data["amount"])
    except (Refused, XCoverError) as problem:
        words = sentence(problem)
        return _page(request, quote, form, value, error=words, status=status_of(problem))
    return see("modification", quote, pk=found.pk)


def _page(
    request: HttpRequest,
    quote: Quote,
    form: ValueForm,
    value: InsuredValue,
    *,
    error: str = "",
    status: int,
) -> HttpResponse:
    context: dict[str, Any] = {
        "policy": summarise(quote),
        "form": form,
        "value": value,
        "error": error,
    }
    return render(request, "xcover/mycover/value.html", context, status=status)
