"""Text from outside stays text: in pages, in log lines, in headers and paths."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from django_xcover.client import InvalidPayload, UnexpectedAnswer, XCoverClient
from django_xcover.mirror import refresh
from django_xcover.models import Quote, QuotePackage
from django_xcover.offers import quoting
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.account.conftest import Member, ana, come, front, page_of
from tests.admin.factories import make_staff
from tests.client import server as does
from tests.client.conftest import Connect, Serve, connect, serve
from tests.conftest import ReadCart, Shopper, the_package, work
from tests.shop import Cart, Shop

pytestmark = pytest.mark.django_db
__all__ = ["ana", "come", "connect", "front", "serve"]
SCRIPT = '<script>alert("x")</script>'
IMAGE = "<img src=x onerror=alert(1)>"
EVIL = f"{SCRIPT}{IMAGE}"
FORGED = "x\r\n2026-01-01 CRITICAL forged\x1b[2J\u2028\u202e"


def poison() -> None:
    """Let XCover have said markup in every text of the only policy."""
    quote = Quote.objects.get()
    Quote.objects.update(
        policy_name=EVIL, label=EVIL, payload=_poisoned(quote.payload), request={"name": EVIL}
    )
    package = QuotePackage.objects.get()
    QuotePackage.objects.update(payload=_poisoned(package.payload), policyholder_email=EVIL)


def _poisoned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _poisoned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_poisoned(item) for item in value]
    return f"{value}{EVIL}" if isinstance(value, str) and "T" not in value[:12] else value


def test_markup_in_the_vendors_texts_is_text_on_the_shoppers_pages(ana: Member) -> None:
    ana.buys()
    poison()

    pages = [ana.gets(path) for path in ("/xcover/mycover/", page_of(), page_of(rest="details/"))]

    assert [page.status_code for page in pages] == [200, 200, 200]
    html = "".join(page.content.decode() for page in pages)
    assert SCRIPT not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;" in html


def test_markup_in_the_vendors_texts_is_text_in_the_admin(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    poison()
    user, client = make_staff(), Client()
    user.is_superuser = True
    user.save()
    client.force_login(user)
    package, quote = the_package().pk, Quote.objects.get().pk

    rows = [f"quotepackage/{package}/change/", "quotepackage/", f"policy/{quote}/change/"]
    rows += ["policy/", "quotepackage/order/ORD-1/"]
    pages = [client.get(f"/admin/xcover/{row}") for row in rows]

    html = "".join(page.content.decode() for page in pages if page.status_code == 200)
    assert SCRIPT not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;" in html


def test_no_line_break_of_the_vendors_reaches_a_log(
    shopper: Shopper, sandbox: Sandbox, read: ReadCart, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"message": FORGED, "type": FORGED, "error_id": FORGED, "errors": {FORGED: [FORGED]}}
    sandbox.faults.add("create_quote", "status", status=422, body=body)
    with caplog.at_level(logging.DEBUG):
        assert quoting.fresh_offer(read(shopper.cart)) is None

    assert caplog.records
    assert_single_lines(caplog)


def test_no_line_break_of_a_reference_reaches_a_log(
    sandbox: Sandbox,
    read: ReadCart,
    shop: Shop,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shopper = Shopper(Cart(reference=FORGED), read)
    shopper.says(yes=True)
    order = shop.order(FORGED, policyholder=None)
    with caplog.at_level(logging.DEBUG):
        completion.complete(order, shopper.cart, paid=True)
        work()

    assert caplog.records
    assert_single_lines(caplog)


def test_no_line_break_of_a_status_or_an_id_reaches_a_log(
    shopper: Shopper,
    shop: Shop,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    for field in ("status", "id"):
        with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG):
            spoil(patch, **{field: FORGED[:20]})
            with pytest.raises(UnexpectedAnswer, match=field):
                refresh.refresh(the_package())

    assert the_package().status == "CONFIRMED"
    assert_single_lines(caplog)


def spoil(monkeypatch: pytest.MonkeyPatch, **fields: str) -> None:
    """Let the booking be read with other fields than XCover has."""
    read = XCoverClient.get_booking

    def changed(self: XCoverClient, *args: Any, **options: Any) -> Any:
        answer = read(self, *args, **options)
        answer.update(fields)
        return answer

    monkeypatch.setattr(XCoverClient, "get_booking", changed)


def assert_single_lines(caplog: pytest.LogCaptureFixture) -> None:
    """Let no line have a character that could end it, colour it or turn it round."""
    ours = [record for record in caplog.records if record.name.startswith("django_xcover")]
    # An error of the shop's is logged with the places in the code, on lines of their own.
    lines = [record.getMessage().partition('\n  File "')[0] for record in ours]
    assert [line for line in lines if not line.isprintable()] == []
    assert not any("forged\x1b" in record.getMessage() for record in ours)


INJECTED = ("a\r\nX-Api-Key: other", "a\nb", "a\0b", "a\x85b", "a\u2028b", "a%0d%0aX: 1/..")
Call = Callable[[XCoverClient, str], Any]


@pytest.mark.parametrize("value", INJECTED)
@pytest.mark.parametrize(
    "call",
    [
        lambda client, value: client.get_booking(value),
        lambda client, value: client.confirm_booking_cancellation("A-INS", value),
        lambda client, value: client.confirm_booking_modification("A-INS", value),
        lambda client, value: client.renewal_confirmation("A-INS", value),
        lambda client, value: client.legacy_renewal_confirmation(value, {}),
    ],
    ids=["package", "cancellation", "update", "renewal", "legacy renewal"],
)
def test_no_id_carries_a_header_or_another_path(
    call: Call, value: str, serve: Serve, connect: Connect
) -> None:
    server = serve(does.json(200, {}))

    with pytest.raises(InvalidPayload):
        call(connect(server), value)

    assert server.seen == []


@pytest.mark.parametrize("value", INJECTED[:5])
def test_no_idempotency_key_carries_a_header(value: str, serve: Serve, connect: Connect) -> None:
    server = serve(does.json(200, {}))

    with pytest.raises(InvalidPayload):
        connect(server).create_quote({}, idempotency_key=value)

    assert server.seen == []


def test_a_language_stays_in_the_query(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(200, {"id": "A-INS"}))

    connect(server).get_booking("A-INS", language="en&x=1#\r\nX-Api-Key: other")

    (request,) = server.seen
    assert request.target.count("&") == 0
    assert request.target.endswith("?language=en%26x%3D1%23%0D%0AX-Api-Key%3A+other")
    assert request.headers["x-api-key"] != "other"
