"""Without the permission no page shows a person; with it, each page that does is on record.

The pages are those that the admin has, so that a new one is held to this without being named here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command, get_commands
from django.db import transaction
from django.db.models import ForeignKey, Model
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from django_xcover.client import errors
from django_xcover.clients import factory
from django_xcover.models import (
    AccessRecord,
    Cancellation,
    Policy,
    QuotePackage,
    Renewal,
    StaffAction,
)
from tests.admin.people import (
    MAIL,
    NAME,
    PERMISSION,
    REFERENCE,
    addresses,
    browser,
    make_all_but,
    make_everything,
    make_log_entries,
    pages,
    personal_columns,
    shows_person,
    urls_of,
)
from tests.admin.pressing import action_url, messages_of

ADDRESSES = addresses()
each_address = pytest.mark.parametrize(
    ("model", "name"), ADDRESSES, ids=[name for _model, name in ADDRESSES]
)
each_model = pytest.mark.parametrize("model", pages(), ids=lambda model: model._meta.model_name)


class Refusing:
    """An XCover that refuses every call, in words that repeat what was sent."""

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            words = [f"{NAME} is no telephone number"]
            raise errors.AuthenticationFailed(
                status=401, body={"message": words[0], "errors": {"phone": words}}
            )

        return call


@pytest.fixture(autouse=True)
def _xcover_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "client_for", lambda account: Refusing())


@pytest.fixture(scope="module")
def sam(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[User]:
    """Make rows of every kind once, and return who may do everything but see people.

    Each test is a savepoint in this transaction, and finds the rows as they were made.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        make_everything()
        user = make_all_but(PERMISSION)
        make_log_entries(user)
        yield user
        transaction.set_rollback(True)


@pytest.fixture
def without(sam: User, db: None) -> Any:
    """Return the browser of somebody who may do everything but see people."""
    return browser(sam)


@pytest.fixture
def with_it(sam: User, db: None) -> Any:
    """Return the browser of somebody who may do everything."""
    sam.user_permissions.add(Permission.objects.get(codename=PERMISSION))
    return browser(sam)


@each_address
def test_without_the_permission_no_page_shows_a_person(
    without: Any, model: type[Model], name: str
) -> None:
    for url in urls_of(model, name):
        for answer in (without.get(url, follow=True), without.post(url, follow=True)):
            assert answer.status_code in {200, 403, 404, 405}, url
            assert not shows_person(answer), url
    assert not AccessRecord.objects.exclude(detail="").exists()


@each_model
def test_without_the_permission_no_action_of_a_list_shows_a_person(
    without: Any, model: type[Model]
) -> None:
    url = reverse(f"admin:xcover_{model._meta.model_name}_changelist")
    keys = [str(key) for key in model._default_manager.values_list("pk", flat=True)]
    actions = without.get(url).context["action_form"]
    names = [name for name, _label in actions.fields["action"].choices if name] if actions else []

    for name in names:
        answer = without.post(url, {"action": name, "_selected_action": keys}, follow=True)
        assert answer.status_code == 200
        assert not shows_person(answer), name


@pytest.mark.parametrize("page", ["index", "app_list", "jsi18n"])
def test_without_the_permission_no_common_page_shows_a_person(without: Any, page: str) -> None:
    arguments = ["xcover"] if page == "app_list" else []

    answer = without.get(reverse(f"admin:{page}", args=arguments))

    assert answer.status_code == 200
    assert not shows_person(answer)


def test_no_row_names_a_person_where_a_link_or_a_log_entry_names_the_row(without: Any) -> None:
    models = apps.get_app_config("xcover").get_models()

    named = [str(row) for model in models for row in model._default_manager.all()]

    assert len(named) > 20
    assert not [text for text in named if NAME in text]


@each_address
def test_each_page_that_shows_a_person_is_on_record(
    with_it: Any, model: type[Model], name: str
) -> None:
    for url in urls_of(model, name):
        for ask in (with_it.get, with_it.post):
            before = AccessRecord.objects.count()
            answer = ask(url, follow=True)
            if shows_person(answer):
                assert AccessRecord.objects.count() > before, url


def test_with_the_permission_the_pages_do_show_the_person(with_it: Any) -> None:
    showing = {
        name
        for model, name in ADDRESSES
        if any(shows_person(with_it.get(url)) for url in urls_of(model, name))
    }

    lists = {f"xcover_{name}_changelist" for name in ("modification", "policy", "quotepackage")}
    rows = {
        f"xcover_{name}_{page}"
        for name in ("cancellation", "instalment", "modification", "operation", "policy")
        for page in ("change", "history")
    }
    others = {
        "xcover_order_story",
        "xcover_quotepackage_change",
        "xcover_renewal_change",
        "xcover_webhookdelivery_change",
        "xcover_webhookdelivery_changelist",
        "xcover_withdrawal_change",
    }
    assert lists | rows | others <= showing


@each_model
@pytest.mark.parametrize(
    "typed", [NAME, NAME[:4].lower(), MAIL, "example.com", f"{REFERENCE} {NAME}"]
)
def test_without_the_permission_nothing_of_a_person_finds_a_row(
    without: Any, model: type[Model], typed: str
) -> None:
    url = reverse(f"admin:xcover_{model._meta.model_name}_changelist")

    assert without.get(url, {"q": typed}).context["cl"].result_count == 0


def test_without_the_permission_an_order_is_found_and_the_page_says_what_is_searched(
    without: Any,
) -> None:
    url = reverse("admin:xcover_quotepackage_changelist")

    for typed in (REFERENCE, "1001", QuotePackage.objects.get().package_id):
        assert without.get(url, {"q": typed}).context["cl"].result_count == 1
    page = without.get(url).content.decode()
    assert "Names and e-mail addresses are not searched" in page
    assert "the policyholder&#x27;s name" not in page


def test_with_the_permission_a_name_finds_the_order(with_it: Any) -> None:
    url = reverse("admin:xcover_quotepackage_changelist")

    answer = with_it.get(url, {"q": NAME})

    assert answer.context["cl"].result_count == 1
    assert "the policyholder&#x27;s name" in answer.content.decode()
    assert "are not searched" not in answer.content.decode()


@each_model
def test_without_the_permission_no_list_is_filtered_by_a_personal_column(
    without: Any, model: type[Model]
) -> None:
    url = reverse(f"admin:xcover_{model._meta.model_name}_changelist")
    columns = list(personal_columns(model))

    for column in columns:
        for lookup in (f"{column}__icontains", f"{column}__startswith", f"{column}__policyholder"):
            assert without.get(url, {lookup: NAME[:3]}).status_code == 400, lookup
    assert without.get(url, {"o": "1"}).status_code == 200


def test_without_the_permission_no_field_completes_a_name(without: Any) -> None:
    asked = 0
    for model in apps.get_app_config("xcover").get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, ForeignKey) and field.related_model in admin.site._registry:
                asked += 1
                answer = without.get(
                    reverse("admin:autocomplete"),
                    {
                        "app_label": "xcover",
                        "model_name": model._meta.model_name,
                        "field_name": field.name,
                        "term": NAME,
                    },
                )
                assert answer.status_code == 200
                assert answer.json()["results"] == []
    assert asked


@pytest.mark.parametrize("action", ["details", "price"])
def test_without_the_permission_the_forms_that_show_present_values_are_not_there(
    without: Any, action: str
) -> None:
    row: Model = QuotePackage.objects.get() if action == "details" else Policy.objects.all()[0]
    page = action_url(row, "change")

    assert action_url(row, action) not in without.get(page).content.decode()
    assert without.post(action_url(row, action), {"first_name": "Ana"}).status_code == 403


def test_with_the_permission_a_form_that_comes_back_is_on_record(with_it: Any) -> None:
    answer = with_it.post(action_url(QuotePackage.objects.get(), "details"), {"email": "nonsense"})

    assert shows_person(answer)
    record = AccessRecord.objects.latest("pk")
    assert (record.what, record.detail) == ("page", "quotepackage")


@pytest.mark.parametrize("may", [False, True])
@pytest.mark.parametrize(("model", "action"), [(QuotePackage, "refresh"), (Renewal, "quote")])
def test_xcovers_words_are_for_those_who_may_see_people(
    request: pytest.FixtureRequest, model: Any, action: str, may: bool
) -> None:
    client = request.getfixturevalue("with_it" if may else "without")

    (message,) = messages_of(client.post(action_url(model.objects.get(), action)))

    assert "XCover did not accept our credentials (401 authentication_failed): " in message
    assert "phone" in message
    assert (NAME in message) == may


def test_xcovers_words_are_shown_and_not_kept_in_a_log(with_it: Any) -> None:
    package = QuotePackage.objects.get()
    url = action_url(package, "refresh")
    StaffAction.objects.all().delete()

    assert f"{NAME} is no telephone number" in with_it.post(url, follow=True).content.decode()

    assert NAME not in StaffAction.objects.get().sentence
    assert "wasn't refreshed" in StaffAction.objects.get().sentence


def test_the_reason_that_a_customer_gave_is_for_those_who_may_see_people(without: Any) -> None:
    row = Cancellation.objects.all()[0]

    assert NAME in row.reason
    assert NAME not in without.get(action_url(row, "change")).content.decode()


ARGUMENTS: dict[str, list[str]] = {
    "xcover_erase": [REFERENCE, "--yes"],
    "xcover_pause": ["default"],
    "xcover_reconcile": [],
    "xcover_resume": ["default"],
    "xcover_status": [],
    "xcover_work": ["--once"],
}
# Cron sends by e-mail what a command prints.
SILENT = {"xcover_work"}
COMMANDS = sorted(name for name, app in get_commands().items() if app == "django_xcover")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_prints_a_person(
    sam: User, db: None, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        call_command(command, *ARGUMENTS[command])
    except (CommandError, SystemExit) as end:
        said = str(end)
    else:
        said = ""

    printed = capsys.readouterr()
    text = said + printed.out + printed.err
    assert text.strip() or command in SILENT
    assert NAME not in text
