"""Tickets, a flight, a stay, a parcel, a flat and a device, bought with cover in a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from django_xcover.sandbox import Sandbox
from tests.browser.conftest import Customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Come = Callable[..., Customer]
Worker = Callable[[], None]

SOLD: dict[str, tuple[str, dict[str, str | int]]] = {
    "harbour-lights-festival": ("Harbour Lights Festival", {}),
    "flight-to-lisbon": ("Flight to Lisbon", {"Outbound": 20, "Return": 27}),
    "casa-do-miradouro": ("Casa do Miradouro", {"Check-in": 20, "Check-out": 27}),
    "parcel-label": (
        "Parcel label",
        {
            "What is in it?": "A stoneware vase",
            "What is it worth? (GBP)": "240",
            "Postcode there": "M1 2AB",
            "You drop it off on": 3,
        },
    ),
    "flat-in-orchard-lane": (
        "Flat in Orchard Lane",
        {"You move in on": 10, "What would your belongings cost new? (GBP)": "18000"},
    ),
    "lumen-14": ("Lumen 14", {}),
}


def typed(value: str | int) -> str:
    """Return a text as it is, and a number as the date in that many days."""
    return value if isinstance(value, str) else str(timezone.localdate() + timedelta(days=value))


@pytest.mark.parametrize("slug", SOLD)
def test_each_is_bought_with_its_details_and_its_cover(
    customer: Come, xcover: Sandbox, worker: Worker, slug: str
) -> None:
    name, details = SOLD[slug]
    ana = customer()
    ana.goes_to(f"/products/{slug}/")
    for label, value in details.items():
        ana.page.get_by_label(label, exact=True).fill(typed(value))
    ana.page.get_by_role("button", name="Add to cart").click()
    ana.is_told(f"{name} is in your cart.")
    ana.goes_to("/checkout/")
    what = f"your tickets to {name}" if "festival" in slug else name
    ana.answers(f"Protect {what} for", yes=True)
    ana.fills_in_details()
    ana.places_order()
    ana.pays()
    worker()

    ana.page.reload()
    (package,) = xcover.packages()
    assert package["status"] == "CONFIRMED"
    expect(ana.page.get_by_role("link", name="My cover: documents")).to_be_visible()


def test_what_is_missing_is_marked_on_the_products_page(customer: Come) -> None:
    ana = customer()
    ana.goes_to("/products/parcel-label/")

    ana.page.get_by_role("button", name="Add to cart").click()

    ana.is_told("This field is required")
    expect(ana.page.get_by_label("What is in it?")).to_have_attribute("aria-invalid", "true")
