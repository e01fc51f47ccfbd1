"""A signer and a caller of the tests' own: neither our client nor the sandbox's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit

import requests

TICKET: dict[str, Any] = {
    "policy_type": "event_ticket_protection",
    "policy_type_version": 1,
    "policy_start_date": "2030-05-01T09:00:00Z",
    "event_datetime": "2030-06-20T18:30:00Z",
    "event_name": "Harbour Lights Festival",
    "event_location": "Dover Marina",
    "event_country": "GB",
    "number_of_tickets": 2,
    "tickets": [{"price": 60}, {"price": 60}],
    "resale_ticket": False,
}
LAPTOP: dict[str, Any] = {
    "policy_type": "product_insurance",
    "category": "laptop",
    "price": 999,
    "name": "Laptop 14",
    "description": "14 inch laptop, 16 GB",
}
TRIP: dict[str, Any] = {
    "policy_type": "comprehensive_travel_insurance",
    "trip_start_date": "2030-07-01T06:00:00Z",
    "trip_end_date": "2030-07-15T20:00:00Z",
    "departure_country": "GB",
    "destination_country": "PT",
    "number_of_adults": 2,
    "number_of_children": 1,
    "total_tickets_price": 840,
}
PARCEL: dict[str, Any] = {
    "policy_type": "parcel_insurance",
    "policy_type_version": 1,
    "policy_start_date": "2030-03-01T08:00:00Z",
    "from_country": "GB",
    "from_zipcode": "CT16 1AA",
    "from_company_name": "Harbour Crafts",
    "to_country": "FR",
    "to_zipcode": "62100",
    "ship_cost": 12.5,
    "ship_date": "2030-03-01T08:00:00Z",
    "parcel_products": [{"sku": "VASE-1", "value": 180}, {"sku": "BOWL-2", "value": 60}],
}
HOME: dict[str, Any] = {
    "policy_type": "renters_insurance",
    "address1": "4 Quay Street",
    "city": "Dover",
    "postcode": "CT16 1AA",
    "contents_value": 25000,
    "number_of_residents": 2,
}
PERSON: dict[str, Any] = {
    "first_name": "Ana",
    "last_name": "Rossi",
    "email": "ana@example.com",
    "age": 41,
    "country": "GB",
}


def a_cart(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a quote request, for tickets when nothing else is asked."""
    return {
        "request": list(items or (TICKET,)),
        "currency": "GBP",
        "customer_country": "GB",
        "customer_region": "Kent",
        "customer_language": "en",
        **changes,
    }


def a_booking(package: dict[str, Any], *keys: str, **changes: Any) -> dict[str, Any]:
    """Return a booking of the quotes under these keys, all when none is named."""
    chosen = keys or tuple(package["quotes"])
    quotes = [{"id": package["quotes"][key]["id"]} for key in chosen]
    return {"quotes": quotes, "policyholder": PERSON, **changes}


def signature(secret: str, text: str, digest: str = "sha512") -> str:
    """Return the signature of a text as the authentication page describes it."""
    raw = hmac.new(secret.encode(), text.encode(), getattr(hashlib, digest)).digest()
    return quote(base64.b64encode(raw), safe="")


@dataclass
class Caller:
    """Somebody with a key who calls the API at `base_url` (which ends in `/x` or `/xcover`)."""

    session: requests.Session
    base_url: str
    key: str = "sandbox-key"
    secret: str = "sandbox-secret"
    partner: str = "SHOP1"
    timeout: float = 5
    sent: dict[str, str] = field(default_factory=dict)

    def call(
        self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> requests.Response:
        """Send one signed call to a path below the partner; `key` is its idempotency key."""
        url = f"{self.base_url}/partners/{self.partner}/{path}"
        signed = self.signed(method, url)
        if key:
            signed["x-idempotency-key"] = key
        data = None if body is None else json.dumps(body)
        return self.session.request(
            method, url, data=data, headers={**signed, **headers}, timeout=self.timeout
        )

    def signed(self, method: str, url: str, *, names: str = "date", digest: str = "sha512") -> Any:
        """Return the headers of a signed call; `names` are the signed headers."""
        date = formatdate(usegmt=True)
        lines = {
            "date": f"date: {date}",
            "(request-target)": f"(request-target): {method.lower()} {urlsplit(url).path}",
        }
        text = "\n".join(lines[name] for name in names.split())
        shown = f'headers="{names}",' if names != "date" else ""
        authorization = (
            f'Signature keyId="{self.key}",algorithm="hmac-{digest}",{shown}'
            f'signature="{signature(self.secret, text, digest)}"'
        )
        return {
            "Content-Type": "application/json",
            "Date": date,
            "X-Api-Key": self.key,
            "Authorization": authorization,
        }

    def quoted(self, *items: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Return a fresh package."""
        response = self.call("POST", "quotes/", a_cart(*items, **changes))
        assert response.status_code == 201, response.text
        return dict(response.json())

    def booked(self, *items: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Return a fresh booking of everything quoted."""
        package = self.quoted(*items)
        response = self.call("POST", f"bookings/{package['id']}/", a_booking(package, **changes))
        assert response.status_code == 200, response.text
        return dict(response.json())
