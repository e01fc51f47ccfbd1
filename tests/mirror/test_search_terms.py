"""What staff find an order's package by, and that it is kept true."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from django_xcover.mirror import refresh, search_terms
from django_xcover.models import Quote, QuotePackage, SearchTerm
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Order, Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def order(shopper: Shopper, shop: Shop) -> Order:
    """Return a paid order whose cover is not booked yet."""
    shopper.says(yes=True)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    return order


def test_an_offer_that_nobody_took_writes_no_terms(shopper: Shopper) -> None:
    shopper.says(yes=True)

    assert not SearchTerm.objects.exists()
    package = the_package()
    assert search_terms.find(package.package_id.removesuffix("-INS")) == [package.pk]
    assert search_terms.find(Quote.objects.get().quote_id) == [package.pk]


@pytest.mark.parametrize("text", ["ana@exam", "ANA", "rossi", "Rossi Ana", "example.com"])
def test_a_customer_is_found_before_the_cover_is_booked_and_after(order: Order, text: str) -> None:
    before = search_terms.find(text)
    work()

    assert the_package().status == "CONFIRMED"
    assert before == search_terms.find(text) == [the_package().pk]


def test_a_policy_is_found_by_the_first_characters_of_its_id(order: Order) -> None:
    work()

    assert search_terms.find(Quote.objects.get().quote_id[:8].upper()) == [the_package().pk]


def test_fewer_than_three_letters_find_whole_words_only(order: Order) -> None:
    reference = the_package().order_reference

    assert search_terms.find(reference.lower()[:3]) == [the_package().pk]
    assert search_terms.find(reference[:2]) == []


def test_every_word_has_to_be_found(order: Order) -> None:
    work()

    assert search_terms.find("ana nobody") == []


@pytest.mark.parametrize("text", ["", " ", "%", "_", "\x00", "a\x00b", "🎫" * 300, "\ud800"])
def test_whatever_is_typed_finds_nothing_and_breaks_nothing(order: Order, text: str) -> None:
    assert search_terms.find(text) == []


def test_a_name_that_changes_at_xcover_is_found_by_the_new_one_only(order: Order) -> None:
    work()
    package = the_package()
    package.payload["policyholder"]["last_name"] = "Old"
    package.save()
    search_terms.replace(package, search_terms.terms_of(package))
    assert search_terms.find("old")

    refresh.refresh(package)

    assert search_terms.find("old") == []
    assert search_terms.find("rossi") == [package.pk]


def test_a_refresh_that_changes_nothing_writes_no_terms(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    work()
    monkeypatch.setattr(search_terms, "replace", lambda *args: pytest.fail("written for nothing"))

    refresh.refresh(the_package())


def test_terms_go_with_their_package(order: Order) -> None:

    package = the_package()
    package.operations.all().delete()
    connection.cursor().execute("DELETE FROM xcover_decision")
    package.delete()

    assert not SearchTerm.objects.exists()


def test_what_was_ordered_before_is_found_after_the_migration(order: Order) -> None:
    work()
    before = set(SearchTerm.objects.values_list("term", flat=True))
    SearchTerm.objects.all().delete()
    migration = importlib.import_module(
        "django_xcover.migrations.0014_search_terms_of_ordered_packages"
    )

    # As Django hands it the models: with columns, and without properties of ours.
    then = MigrationLoader(connection).project_state(("xcover", "0013_quicker_lists")).apps

    migration.add_terms(then, connection.schema_editor())
    migration.add_terms(then, connection.schema_editor())

    assert set(SearchTerm.objects.values_list("term", flat=True)) == before
    assert QuotePackage.objects.count() == 1


@pytest.mark.parametrize("text", ["rossi", "ana", "ana@example.com", "example.com"])
def test_without_people_no_name_and_no_address_finds_an_order(order: Order, text: str) -> None:
    work()

    assert search_terms.find(text) == [the_package().pk]
    assert search_terms.find(text, people=False) == []
    assert search_terms.find(f"{the_package().order_reference} {text}", people=False) == []


def test_without_people_the_order_and_the_ids_find_it(order: Order) -> None:
    work()
    package = the_package()
    quote_id = Quote.objects.get().quote_id

    for text in (package.order_reference, package.package_id, quote_id, quote_id[:8]):
        assert search_terms.find(text, people=False) == [package.pk]


def test_a_word_that_is_the_order_and_a_name_is_found_without_people(order: Order) -> None:
    work()
    package = the_package()
    assert search_terms.find("rossi", people=False) == []

    package.order_reference = "Rossi"
    search_terms.replace(package, search_terms.terms_of(package))
    assert search_terms.find("rossi", people=False) == [package.pk]

    package.order_reference = "SH-7"
    search_terms.replace(package, search_terms.terms_of(package))
    assert search_terms.find("rossi", people=False) == []
    assert search_terms.find("rossi") == [package.pk]


def test_the_migration_marks_what_names_nobody_and_can_be_taken_back(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    work()
    before = set(SearchTerm.objects.values_list("term", "is_personal"))
    assert {is_personal for _term, is_personal in before} == {True, False}
    SearchTerm.objects.update(is_personal=True)
    migration = importlib.import_module("django_xcover.migrations.0019_impersonal_terms")
    then = MigrationLoader(connection).project_state(("xcover", "0018_search_without_people")).apps
    editor = SimpleNamespace(connection=connection)

    migration.mark_terms(then, editor)
    migration.mark_terms(then, editor)
    assert set(SearchTerm.objects.values_list("term", "is_personal")) == before

    monkeypatch.setattr(migration, "BATCH", 2)
    with CaptureQueriesContext(connection) as queries:
        migration.take_marks_back(then, editor)
    assert not SearchTerm.objects.filter(is_personal=False).exists()
    written = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert len(written) == (len(before) + 1) // 2, "one statement locks few rows"

    migration.mark_terms(then, editor)
    assert set(SearchTerm.objects.values_list("term", "is_personal")) == before
