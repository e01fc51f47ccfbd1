"""No text from outside decides where this server calls, or what its answers' headers say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings

from django_xcover.models import QuotePackage, WebhookDelivery
from django_xcover.policies import documents
from django_xcover.sync import webhooks
from tests.account.conftest import Member, ana, come, front, the_policy
from tests.sync.webhooks.conftest import Post, body_of, booked, post, takes_webhooks

pytestmark = pytest.mark.django_db
__all__ = ["ana", "booked", "come", "front", "post", "takes_webhooks"]
METADATA = "https://169.254.169.254/latest/meta-data/"
BASE_URL = django_settings.XCOVER["ACCOUNTS"]["default"]["BASE_URL"]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the addresses that are called from here on."""
    found: list[str] = []
    send: Callable[..., Any] = requests.Session.send

    def record(self: requests.Session, request: Any, **options: Any) -> Any:
        found.append(request.url)
        return send(self, request, **options)

    monkeypatch.setattr(requests.Session, "send", record)
    return found


def test_no_address_in_a_webhook_is_called(
    post: Post, booked: QuotePackage, called: list[str]
) -> None:
    links = dict.fromkeys(("url", "next", "callback", "pds_url", "coi"), METADATA)
    post(body_of("BOOKING_UPDATED", booked.package_id, **links))

    webhooks.process(WebhookDelivery.objects.get().pk)

    assert called
    assert all(url.startswith(f"{BASE_URL}/") for url in called)


@pytest.mark.parametrize(
    "package_id", [METADATA, "../../../admin/", "A-INS/../../x", "A-INS?x=1", "A-INS#x", "@evil/"]
)
def test_a_webhooks_id_makes_no_path(
    post: Post, booked: QuotePackage, called: list[str], package_id: str
) -> None:
    post(body_of("BOOKING_UPDATED", package_id))

    webhooks.process(WebhookDelivery.objects.get().pk)

    assert called == []


def test_a_link_of_xcovers_is_handed_on_and_never_called(ana: Member, called: list[str]) -> None:
    ana.buys()
    _let_the_certificate_be(METADATA)
    called.clear()

    response = ana.gets(f"/xcover/documents/{the_policy().quote_id}/{documents.CERTIFICATE}/")

    assert (response.status_code, response["Location"]) == (302, METADATA)
    assert called == []


@pytest.mark.parametrize("end", ["\r\nSet-Cookie: a=b", "\nX: y", "\x85X: y", "\u2028X: y"])
def test_a_link_of_xcovers_makes_no_header(ana: Member, end: str) -> None:
    ana.buys()
    _let_the_certificate_be(f"https://www.xcover.com/en/coi{end}")

    response = ana.gets(f"/xcover/documents/{the_policy().quote_id}/{documents.CERTIFICATE}/")

    told = "".join(f"{name}: {value}" for name, value in response.items())
    assert response.status_code == 302
    assert told.isprintable()
    assert "a" not in response.cookies


def _let_the_certificate_be(url: str) -> None:
    package = the_policy().package
    package.payload["coi"]["url"] = url
    package.save()
