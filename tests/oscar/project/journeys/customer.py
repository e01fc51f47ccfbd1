"""Somebody who buys in the Oscar shop with Django's test client."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

from django.test import Client
from oscar.core.loading import get_model

ADDRESS = {
    "first_name": "Ana",
    "last_name": "Rossi",
    "line1": "1 Quay Street",
    "line4": "London",
    "postcode": "SW1A 1AA",
    "country": "GB",
}
INPUT = re.compile(r"<input[^>]*>")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


class Customer:
    """Goes through the shop's own pages. `page` is the last one seen."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.page = ""

    def sees(self, path: str) -> str:
        """Open a page, following redirects, and return its text."""
        return self._read(self.client.get(path, follow=True))

    def takes(self, title: str, quantity: int = 1) -> None:
        """Put a product in the basket."""
        product = get_model("catalogue", "Product").objects.get(title=title)
        self._read(
            self.client.post(f"/basket/add/{product.pk}/", {"quantity": quantity}, follow=True)
        )

    def redeems(self, code: str) -> None:
        """Enter a voucher."""
        self._read(self.client.post("/basket/vouchers/add/", {"code": code}, follow=True))

    def goes_to_preview(self, **address: str) -> str:
        """Go through the checkout up to the page with the button."""
        if "_auth_user_id" not in self.client.session:
            form = {"username": "ana@example.com", "options": "anonymous"}
            self._read(self.client.post("/checkout/", form, follow=True))
        self._read(self.client.post("/checkout/shipping-address/", ADDRESS | address, follow=True))
        return self.sees("/checkout/preview/")

    def answers(self, *, yes: bool, only: int | None = None) -> None:
        """Answer the offer, for one quote or for all."""
        fragment = self.client.get("/xcover/offer/").content.decode()
        assert "data-xcover-quote" in fragment, "no offer"
        forms = [_fields(form) for form in re.findall(r"(?s)<form.*?</form>", fragment)]
        single = [form for form in forms if len(form.get("quote", [])) == 1]
        for form in single if only is None else [single[only]]:
            posted = form | {"choice": "yes" if yes else "no"}
            assert self.client.post("/xcover/choose/", posted).status_code < 400

    def orders(self, **also: str) -> str:
        """Look at the page again and press the button."""
        return self.sends(self.sees("/checkout/preview/"), **also)

    def sends(self, page: str, **also: str) -> str:
        """Press the button on a page that may have been open for a while."""
        posted = {"action": "place_order"} | also
        shown = [_attributes(tag) for tag in INPUT.findall(page)]
        posted |= {tag["name"]: tag["value"] for tag in shown if tag.get("name") == "xcover_total"}
        return self._read(self.client.post("/checkout/preview/", posted, follow=True))

    def pays(self, answer: str = "paid") -> str:
        """Answer on the provider's page, which the last order has led to."""
        return self._read(self.client.post(self.address, {"answer": answer}, follow=True))

    def total(self) -> Decimal:
        """Return the total beside the button."""
        [text] = re.findall(r'name="xcover_total" value="([\d.]+) GBP"', self.page)
        return Decimal(text)

    def _read(self, response: Any) -> str:
        assert response.status_code == 200, response.status_code
        self.address = response.request["PATH_INFO"]
        self.page = unescape(response.content.decode())
        return self.page


def _fields(form: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for tag in map(_attributes, INPUT.findall(form)):
        if tag.get("type") == "hidden":
            fields.setdefault(tag["name"], []).append(tag["value"])
    return fields


def _attributes(tag: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in ATTRIBUTE.findall(tag)}
