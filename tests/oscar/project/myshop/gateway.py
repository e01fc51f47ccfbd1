"""A stand-in for a payment provider with a page of its own, such as PayPal."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import engines
from django.urls import reverse

PAGE = """<!doctype html><title>Pay</title><h1>Pay £{{ payment.amount }}</h1>
<form method="post">{% csrf_token %}
<button name="answer" value="paid">Pay</button>
<button name="answer" value="failed">Decline</button>
</form>"""


@dataclass
class Payment:
    amount: Decimal
    basket: int
    order_number: int
    hold: str
    answer: str = ""


PAYMENTS: dict[str, Payment] = {}


def begin(**facts: object) -> str:
    """Begin a payment and return the address of its page."""
    reference = uuid.uuid4().hex
    PAYMENTS[reference] = Payment(**facts)  # type: ignore[arg-type]
    return reverse("gateway", args=[reference])


def page(request: HttpRequest, reference: str) -> HttpResponse:
    """Show the page; send the shopper back with the answer."""
    payment = PAYMENTS[reference]
    if request.method == "POST":
        payment.answer = request.POST["answer"]
        return HttpResponseRedirect(reverse("checkout:returned", args=[reference]))
    return HttpResponse(engines["django"].from_string(PAGE).render({"payment": payment}, request))
