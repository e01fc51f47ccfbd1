"""No error that leaves the package carries a customer's data or a secret into an error report."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError
from django.http import HttpRequest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.views.debug import get_exception_reporter_filter
from rest_framework.test import APIClient

import django_xcover
from django_xcover import cover, payments, policies, receivers, signals, tasks
from django_xcover.booking import dual_payment
from django_xcover.client import XCoverClient
from django_xcover.client.responses import Response
from django_xcover.models import (
    Operation,
    Quote,
    QuotePackage,
    WebhookDelivery,
    Withdrawal,
)
from django_xcover.policies import withdrawal as withdrawing
from django_xcover.templatetags import xcover as xcover_tags
from django_xcover.testing.webhooks import sign_delivery
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Policyholder, PolicyRequest, QuoteRequest
from tests import completion
from tests.admin.conftest import VIEWS
from tests.admin.factories import make_staff
from tests.client import server as does
from tests.client.conftest import API_KEY, API_SECRET, Connect, Serve, connect, no_proxies, serve
from tests.conftest import Shopper, the_package, work
from tests.security.reporting import (
    MARK,
    MARKER,
    caught,
    errors_at_every_query,
    frames,
    leaks,
)
from tests.shop import Adapter, Cart, Shop, ticket
from tests.sync.webhooks.conftest import KEY, SECRET, body_of, xcover

__all__ = ["connect", "no_proxies", "serve"]

INS = "KXR4W-9PJTC-INS"
EMAIL = "marker-zo@example.com"
ZOE: dict[str, Any] = {
    "first_name": MARKER,
    "last_name": MARKER,
    "email": EMAIL,
    "country": "GB",
    "postcode": MARKER,
}
SECRETS = (EMAIL, API_KEY, API_SECRET, "sandbox-key", "sandbox-secret", SECRET)
# Whatever is called so is a person's, or opens something.
PERSONAL = {
    *("first_name", "last_name", "email", "phone", "age", "birth_date", "address1", "address2"),
    *("city", "postcode", "customer_postcode", "region", "customer_region", "company", "fields"),
    *("policyholder", "policyholder_email", "body", "payload", "raw", "headers", "reason_given"),
    *("security_token", "token", "customer_token_id", "api_key", "api_secret", "secret"),
    *("signature", "webhook_secrets", "shopper_reference", "visitor", "field_errors", "details"),
    *("coi_url", "coi_pdf", "account_url", "claim_url", "cancel_url", "update_fields", "address"),
}
# The same words for something else.
HARMLESS = {
    ("StoredPackage", "policyholder"),  # prints itself without what is personal
    ("Problem", "headers"),  # ours, such as Retry-After
    ("Claim", "headers"),  # only their names
}


class Unreadable:
    """A value of a shop's that has no text."""

    def __init__(self, text: str = MARKER) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def unreadable() -> Any:
    return Unreadable()


def request_of(**facts: Any) -> QuoteRequest:
    plain = {"currency": "GBP", "customer_country": "GB", "customer_language": "en", "items": ()}
    return QuoteRequest(**{**plain, **facts})


def item_of(fields: Any) -> PolicyRequest:
    return PolicyRequest(reference="1", policy_type="travel", fields=fields)


# Values


@pytest.mark.parametrize(
    "build",
    [
        lambda: Policyholder(**{**ZOE, "age": MARKER}),
        lambda: Policyholder(**{**ZOE, "city": Unreadable()}),
        lambda: Policyholder(**{**ZOE, "birth_date": Unreadable()}),
        lambda: Policyholder(**{**ZOE, "country": None}),
        lambda: Policyholder(**{**ZOE, "nickname": MARKER}),
        lambda: replace(Policyholder(**ZOE), last_name=unreadable()),
        lambda: request_of(customer_postcode=Unreadable()),
        lambda: request_of(customer_postcode=MARKER, customer_country=None),
        lambda: request_of(customer_region=Unreadable(), customer_postcode=MARKER),
        lambda: item_of({"traveller": {"name": MARKER, "passport": Unreadable()}}),
        lambda: item_of({"names": [MARKER, Unreadable()]}),
        lambda: PolicyRequest(reference="", policy_type="travel", fields={"name": MARKER}),
    ],
)
def test_a_value_of_the_adapter_that_is_refused_shows_none(build: Callable[[], object]) -> None:
    error = caught(build)

    assert isinstance(error, ValueError | TypeError)
    assert not leaks(error, *SECRETS)


def test_the_values_that_adapters_return_print_without_what_a_customer_typed() -> None:
    item = item_of({"traveller": {"name": MARKER}, "names": [MARKER]})
    asked = request_of(items=(item,), customer_postcode=MARKER, customer_region=MARKER)

    shown = f"{Policyholder(**ZOE)} {asked!r}"

    assert MARK not in shown
    assert EMAIL not in shown
    assert item.fields == {"traveller": {"name": MARKER}, "names": [MARKER]}


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(django_xcover.__path__, "django_xcover."):
        if not found.name.startswith(("django_xcover.sandbox", "django_xcover.migrations")):
            yield importlib.import_module(found.name)


DATACLASSES = sorted(
    {
        value
        for module in modules()
        for value in vars(module).values()
        if isinstance(value, type)
        and dataclasses.is_dataclass(value)
        and value.__module__.startswith("django_xcover.")
        and not value.__module__.startswith("django_xcover.sandbox")
    },
    key=lambda found: (found.__module__, found.__qualname__),
)


@pytest.mark.parametrize("kind", DATACLASSES, ids=lambda found: found.__qualname__)
def test_no_value_prints_what_is_personal(kind: Any) -> None:
    open_fields = {
        field.name for field in dataclasses.fields(kind) if field.repr and field.name in PERSONAL
    }

    assert not {name for name in open_fields if (kind.__qualname__, name) not in HARMLESS}


# The client


def test_an_answer_prints_itself_for_sentry_as_well() -> None:
    """Sentry prints a mapping item by item unless it says what to print."""
    answer: Any = Response(ZOE)

    assert MARK not in answer.__sentry_repr__()


@pytest.mark.parametrize(
    "step",
    [
        does.reset,
        does.empty(503),
        does.json(500, {"message": MARKER, **ZOE}),
        does.json(422, {"message": MARKER, "errors": {"policyholder": {"email": [EMAIL]}}}),
        does.json(409, {"message": MARKER}),
        does.json(200, [ZOE]),
        does.raw(does.response(200, MARKER.encode())),
        does.raw(does.response(200, MARKER.encode(), {"Content-Encoding": "gzip"})),
        does.empty(302, {"Location": f"https://{EMAIL}/x"}),
    ],
)
def test_a_call_that_fails_shows_nothing(step: does.Step, serve: Serve, connect: Connect) -> None:
    client = connect(serve(step, step, step, step, step))

    error = caught(lambda: client.create_booking(INS, {"policyholder": ZOE}, idempotency_key="k"))

    assert list(frames(error))
    assert not leaks(error, *SECRETS)


@pytest.mark.parametrize(
    "act",
    [
        lambda client: client.create_quote({"request": [{"name": MARKER, "x": object()}]}),
        lambda client: client.create_booking(INS, {"policyholder": ZOE}, idempotency_key=" "),
        lambda client: client.create_booking("..", {"policyholder": ZOE}),
        lambda client: client.create_booking(INS, {"policyholder": ZOE}, deadline=0),
        lambda client: client.create_booking(INS, {"policyholder": ZOE}, nickname=MARKER),
        lambda client: XCoverClient(
            base_url="x", partner_code="A", api_key=API_KEY, api_secret=API_SECRET
        ),
    ],
)
def test_arguments_that_cannot_be_sent_are_not_shown(
    act: Callable[[XCoverClient], object], connect: Connect
) -> None:
    error = caught(lambda: act(connect("http://localhost:1")))

    assert not leaks(error, *SECRETS)


@pytest.mark.parametrize(
    "page", [{"results": [ZOE, MARKER]}, {"results": [ZOE], "next": f"https://h/?name={MARKER}"}]
)
def test_a_page_of_bookings_that_is_wrong_is_not_shown(
    page: Any, serve: Serve, connect: Connect
) -> None:
    client = connect(serve(does.json(200, page)))

    assert not leaks(caught(lambda: list(client.list_bookings())), *SECRETS)


# The doors, with a database that goes away at each of their queries in turn


class MarkedAdapter(Adapter):
    """A shop whose customer is Zoë, and whose session is named after her."""

    def get_quote_request(self, cart: Cart) -> QuoteRequest | None:
        found = super().get_quote_request(cart)
        return found and replace(found, customer_postcode=MARKER)

    def get_shopper_reference(self, request: Any) -> str:
        return MARKER

    def get_visitor(self, request: Any) -> str:
        return MARKER


def marked_ticket() -> PolicyRequest:
    plain = ticket()
    return replace(plain, fields={**plain.fields, "event_name": MARKER})


@pytest.fixture
def zoe(shopper: Shopper, shop: Shop, settings: Any) -> Shopper:
    """Return a shopper whose cart, order and answers hold the marker everywhere."""
    settings.XCOVER = xcover("tests.security.test_error_reports.MarkedAdapter")
    settings.DEBUG = False
    shopper.cart = shopper.cart.but(items=(marked_ticket(),))
    shop.order(policyholder=Policyholder(**ZOE))
    return shopper


@pytest.fixture
def offered(zoe: Shopper) -> Shopper:
    zoe.says(yes=True)
    return zoe


@pytest.fixture
def booked(offered: Shopper, shop: Shop) -> QuotePackage:
    completion.complete(shop.orders["ORD-1"], offered.cart, paid=True)
    work()
    package = the_package()
    assert package.booked_at
    return package


def tokens() -> list[str]:
    """Return what opens XCover's pages and documents."""
    found = (package.payload.get("security_token") for package in QuotePackage.objects.all())
    return [token for token in found if token]


def check(act: Callable[[], object], *, least: int = 1, atomic: bool = True) -> None:
    """Fail for each error of `act` that shows something; expect `least` errors."""
    secrets = (*SECRETS, *tokens())
    errors = list(errors_at_every_query(act, atomic=atomic))

    assert len(errors) >= least
    assert not {place for error in errors for place in leaks(error, *secrets)}


@pytest.fixture
def front(settings: Any) -> Any:
    """Return a shop that has mounted everything."""
    from tests.checkout.shopfront import FRONT

    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "tests.checkout.shopfront.with_cart",
    ]
    FRONT.__init__()  # type: ignore[misc]
    yield FRONT
    FRONT.__init__()  # type: ignore[misc]


@pytest.fixture
def browser(front: Any, zoe: Shopper) -> Client:
    """Return the browser of Zoë."""
    front.cart, front.shopper = zoe.cart, "ana"
    return Client()


pytestmark = pytest.mark.django_db
BOTH = [signals.order_completed, signals.payment_completed]


@pytest.mark.parametrize("signal", BOTH)
def test_a_receiver_in_a_broken_transaction(signal: Any, offered: Shopper, shop: Shop) -> None:
    order = shop.orders["ORD-1"]

    check(lambda: signal.send(sender=object, order=order, cart=offered.cart), least=5)


def test_the_cancellation_of_an_order(booked: QuotePackage, shop: Shop) -> None:
    order = shop.orders["ORD-1"]

    check(lambda: signals.order_cancelled.send(sender=object, order=order, reason=MARKER), least=2)


def test_freezing_and_reading_cover(offered: Shopper, request_for: Any) -> None:
    check(lambda: cover.freeze_cover(request_for(offered.cart)), least=3)
    check(lambda: cover.current_cover(request_for(offered.cart)))


@pytest.mark.django_db(transaction=True)
def test_holding_cover(offered: Shopper, request_for: Any) -> None:
    check(lambda: cover.hold_cover(request_for(offered.cart)), least=3, atomic=False)


def test_what_became_of_an_order(booked: QuotePackage, shop: Shop) -> None:
    check(lambda: cover.order_cover(shop.orders["ORD-1"]))


def test_the_offer_and_the_choice_over_http(browser: Client, offered: Shopper) -> None:
    quote_id = Quote.objects.get().quote_id
    answer = {"quote": quote_id, "choice": "no", "shown": MARKER, "name": MARKER}

    check(lambda: browser.get("/xcover/offer/"))
    check(lambda: browser.get("/xcover/offer/page/"))
    check(lambda: browser.post("/xcover/choose/", {**answer, "shown": ""}), least=2)


def test_the_pages_of_a_policy(browser: Client, booked: QuotePackage) -> None:
    policy = f"/xcover/mycover/policies/{Quote.objects.get().quote_id}/"

    check(lambda: browser.get("/xcover/mycover/"))
    check(lambda: browser.get(policy))
    check(lambda: browser.post(f"{policy}email/"))
    check(lambda: browser.post(f"{policy}details/", {"first_name": MARKER, "email": EMAIL}))


def test_the_way_to_a_document(browser: Client, booked: QuotePackage) -> None:
    quote_id = Quote.objects.get().quote_id

    check(lambda: browser.get(f"/xcover/documents/{quote_id}/certificate/"))


def test_a_withdrawal_by_link_over_http(browser: Client, booked: QuotePackage) -> None:
    page = withdrawing.link_path("ORD-1")
    token = page.rstrip("/").rpartition("/")[2]
    found = policies.prepare_withdrawal(booked, quotes=list(booked.quotes.all()), reason=MARKER)
    statement = {"name": MARKER, "email": EMAIL}

    for act in (
        lambda: browser.get(page),
        lambda: browser.post(page, {"policies": booked.quotes.get().quote_id, "reason": MARKER}),
        lambda: browser.post(f"{page}{found.pk}/confirm/", statement),
    ):
        errors = list(errors_at_every_query(act))
        assert errors
        assert not {p for error in errors for p in leaks(error, *SECRETS, token, *tokens())}


def test_djangos_report_leaves_out_what_was_posted(browser: Client, booked: QuotePackage) -> None:
    requests: list[HttpRequest] = []

    def note(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
        requests.append(request)

    policy = f"/xcover/mycover/policies/{Quote.objects.get().quote_id}/"
    posted = {"first_name": MARKER, "name": MARKER, "email": EMAIL, "quote": MARKER}
    got_request_exception.connect(note)
    try:
        for path in (f"{policy}details/", withdrawing.link_path("ORD-1"), "/xcover/choose/"):
            list(errors_at_every_query(lambda path=path: browser.post(path, posted)))  # type: ignore[misc]
    finally:
        got_request_exception.disconnect(note)

    reported = [get_exception_reporter_filter(one).get_post_parameters(one) for one in requests]
    assert {one.path for one in requests} > {f"{policy}details/", "/xcover/choose/"}
    assert all(set(values.values()) == {"*" * 20} for values in reported)


def test_no_row_prints_what_a_customer_typed(booked: QuotePackage) -> None:
    found = policies.prepare_withdrawal(booked, quotes=list(booked.quotes.all()), reason=MARKER)
    policies.withdraw(found, channel=Withdrawal.Channel.PAGE, name=MARKER, email=EMAIL)
    work()

    kinds: list[Any] = list(apps.get_app_config("xcover").get_models())
    rows = [row for kind in kinds for row in kind.objects.all()]

    assert {type(row) for row in rows} >= {QuotePackage, Quote, Operation, Withdrawal}
    assert not [row for row in rows if any(s in repr(row) for s in (MARK, EMAIL, *tokens()))]


def test_a_withdrawal_from_code(booked: QuotePackage) -> None:
    quotes = list(booked.quotes.all())
    channel = Withdrawal.Channel.PAGE
    found = policies.prepare_withdrawal(booked, quotes=quotes)

    check(lambda: policies.prepare_withdrawal(booked, quotes=quotes, reason=MARKER))
    check(lambda: policies.withdraw(found, channel=channel, name=MARKER, email=EMAIL), least=4)


def test_a_change_from_code(booked: QuotePackage) -> None:
    details = {"first_name": MARKER}

    check(lambda: policies.change_details(booked, details, origin="shopper"), least=2)


def test_the_api(front: Any, booked: QuotePackage, settings: Any, zoe: Shopper) -> None:
    settings.ROOT_URLCONF = "tests.api.shopfront"
    front.cart, front.shopper = zoe.cart, "ana"
    client, root = APIClient(), "/xcover/api/v1/"
    policy = f"{root}policies/{Quote.objects.get().quote_id}/"
    body = {"details": {"first_name": MARKER, "email": EMAIL}, "reason": MARKER}

    check(lambda: client.get(f"{root}offer/"))
    check(lambda: client.get(f"{root}orders/ORD-1/cover/"))
    check(lambda: client.get(policy))
    check(lambda: client.post(f"{policy}modifications/", body, format="json"))
    check(lambda: client.post(f"{policy}cancellations/", body, format="json"))


def test_a_webhook(browser: Client, zoe: Shopper) -> None:
    body = body_of(policyholder=ZOE)
    headers = sign_delivery(body, key_id=KEY, secret=SECRET)

    def act() -> None:
        kind = "application/json"
        browser.post("/xcover/webhooks/", body, content_type=kind, headers=headers)

    check(act)


def test_the_tasks(booked: QuotePackage, offered: Shopper) -> None:
    delivery = WebhookDelivery.objects.create(
        account="default",
        key="k",
        event="BOOKING_UPDATED",
        package_id=booked.package_id,
        body=json.dumps(ZOE),
    )
    stated = policies.withdraw(
        policies.prepare_withdrawal(booked, quotes=list(booked.quotes.all())),
        channel=Withdrawal.Channel.PAGE,
        name=MARKER,
        email=EMAIL,
    )

    check(lambda: tasks.process_delivery(delivery.pk))
    check(lambda: tasks.send_withdrawal_email(stated.pk))
    for pk in Operation.objects.values_list("pk", flat=True):
        check(lambda pk=pk: tasks.run_operation(pk))  # type: ignore[misc]
    check(tasks.sweep_operations)
    check(tasks.reconcile, least=0)


def test_a_booking_in_a_worker(offered: Shopper, shop: Shop) -> None:
    completion.complete(shop.orders["ORD-1"], offered.cart, paid=True)
    operation = Operation.objects.get()

    check(lambda: tasks.run_operation(operation.pk), least=2)


def test_the_commands(booked: QuotePackage) -> None:
    check(lambda: call_command("xcover_erase", "ORD-1", "--yes"), least=2)


@pytest.mark.parametrize("path", ["xcover/quotepackage/", "xcover/policy/", "xcover/withdrawal/"])
def test_the_admin(path: str, booked: QuotePackage, client: Client) -> None:
    client.force_login(make_staff(*VIEWS))

    check(lambda: client.get(f"/admin/{path}"))
    check(lambda: client.get(f"/admin/{path}?q={EMAIL}"))


# What databases say


@clears_frames
def insert_twice() -> None:
    for _ in range(2):
        Group.objects.create(name=MARKER)


def test_the_value_that_a_database_refuses_is_not_quoted() -> None:
    error = caught(insert_twice)

    assert isinstance(error, IntegrityError)
    assert not leaks(error)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            'duplicate key value violates unique constraint "u"\nDETAIL:  Key (e)=(MARKER-Zoë)',
            'duplicate key value violates unique constraint "u"',
        ),
        (
            'invalid input syntax for type integer: "MARKER-Zoë"\nLINE 1: …',
            "invalid input syntax for type integer: ",
        ),
        ("Duplicate entry 'MARKER-Zoë's' for key 'u'", "Duplicate entry  for key 'u'"),
        ("Incorrect string value: 'MARKER-Zoë' for column 'e'", "Incorrect string value: "),
        ("Data too long for column 'e' at row 1", "Data too long for column 'e' at row 1"),
    ],
)
def test_what_a_database_says_is_kept_without_the_value(said: str, kept: str) -> None:
    @clears_frames
    def fail() -> None:
        raise DataError(1406, said)

    error = caught(fail)

    assert error.args[0] == 1406
    assert error.args[1].startswith(kept)
    assert not leaks(error)


# That no door was forgotten


def is_closed(function: Any) -> bool:
    """Return whether the first frame of `function` is the one that clears the others."""
    return inspect.unwrap(function) is not function and function.__code__.co_filename.endswith(
        "tracebacks.py"
    )


def views(entries: Any = None) -> Iterator[Any]:
    entries = get_resolver().url_patterns if entries is None else entries
    for entry in entries:
        if isinstance(entry, URLResolver):
            yield from views(entry.url_patterns)
        elif isinstance(entry, URLPattern):
            yield entry.callback


def public_functions() -> Iterator[Any]:
    for face in (cover, payments, policies):
        for name in face.__all__:
            value = getattr(face, name)
            if inspect.isfunction(value):
                yield value
    yield dual_payment.use_token
    for name, value in vars(XCoverClient).items():
        if inspect.isfunction(value) and (name == "__init__" or not name.startswith("_")):
            yield value
    yield from (vars(kind)["__init__"] for kind in (Policyholder, PolicyRequest, QuoteRequest))
    yield from (vars(xcover_tags)[name] for name in vars(xcover_tags) if name.startswith("xcover_"))
    yield from (receivers.on_order_completed, receivers.on_payment_completed)
    yield receivers.on_order_cancelled


@pytest.mark.parametrize("function", list(public_functions()), ids=lambda f: f.__qualname__)
def test_each_public_function_clears_its_frames(function: Any) -> None:
    assert is_closed(function)


def test_each_view_clears_its_frames() -> None:
    ours = [view for view in views() if view.__module__.startswith("django_xcover.")]

    assert len(ours) > 30
    assert not [f"{v.__module__}.{v.__qualname__}" for v in ours if not is_closed(v)]


def test_each_task_clears_its_frames() -> None:
    ours = [t for name, t in current_app.tasks.items() if name.startswith("django_xcover.")]

    assert len(ours) > 10
    assert not [task.name for task in ours if not is_closed(task.run)]


def test_each_command_clears_its_frames() -> None:
    named = [found for found in modules() if ".management.commands." in found.__name__]
    found = [vars(module)["Command"] for module in named]

    assert found
    assert all(issubclass(command, BaseCommand) for command in found)
    assert not [command.__module__ for command in found if not is_closed(command.handle)]


def test_an_error_of_the_shops_own_keeps_its_frames() -> None:
    def of_the_shop() -> object:
        order_number = "ORD-1"
        return request_of(customer_country=order_number and None)

    try:
        raise LookupError(MARKER)  # noqa: TRY301 - the shop's own, which it is handling
    except LookupError:
        error = caught(of_the_shop)

    assert isinstance(error.__context__, LookupError)
    own = [f for f in _all_frames(error) if f.f_code.co_name == "of_the_shop"]
    assert [frame.f_locals["order_number"] for frame in own] == ["ORD-1"]


def _all_frames(error: BaseException) -> Iterator[Any]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next
