"""The shop's connection to its database is lost while its signal is handled.

Django rolls the transaction around back without a word when not even its savepoint can be rolled
back (`Atomic.__exit__`). The shop must hear of it, or it thanks for an order that is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import Error, OperationalError, connection, transaction
from django.http import HttpRequest

from django_xcover.cover import freeze_cover
from django_xcover.signals import order_cancelled, order_completed, payment_completed
from tests.shop import Adapter, Cart, Order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]
SIGNALS = [order_completed, payment_completed, order_cancelled]


def lose_connection(*args: Any) -> None:
    """Break the connection under Django's feet, as a server that restarts does."""
    connection.connection.close()
    Group.objects.count()


def break_a_rule(*args: Any) -> None:
    """Make the database refuse a row that the shop has already."""
    Group.objects.create(name="the shop's own row")


def is_told(act: Callable[[], object]) -> bool:
    """Write a row of the shop's own and act, in one transaction; return whether it failed."""
    try:
        with transaction.atomic():
            Group.objects.create(name="the shop's own row")
            act()
    except Error:
        return True
    return False


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_shop_hears_that_its_transaction_was_lost_with_the_connection(
    monkeypatch: pytest.MonkeyPatch, signal: Any
) -> None:
    monkeypatch.setattr(Adapter, "get_order_reference", lose_connection)

    told = is_told(lambda: signal.send(sender=Order, order=Order()))

    assert told
    assert not Group.objects.exists()


@pytest.mark.parametrize("signal", SIGNALS)
def test_an_error_that_spares_the_transaction_spares_the_order(
    monkeypatch: pytest.MonkeyPatch, signal: Any
) -> None:
    monkeypatch.setattr(Adapter, "get_order_reference", break_a_rule)

    told = is_told(lambda: signal.send(sender=Order, order=Order()))

    assert not told
    assert Group.objects.exists()


COLLISIONS = {
    "serialization failure": ("postgresql", "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"),
    "deadlock": ("postgresql", "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"),
    "lock_timeout": ("postgresql", "DO $$ BEGIN RAISE SQLSTATE '55P03'; END $$"),
    "statement_timeout": ("postgresql", "DO $$ BEGIN RAISE SQLSTATE '57014'; END $$"),
    "innodb_lock_wait_timeout": ("mysql", "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205"),
}


@pytest.mark.parametrize("collision", COLLISIONS)
@pytest.mark.parametrize("signal", SIGNALS)
def test_a_shop_hears_that_its_transaction_has_to_be_repeated(
    monkeypatch: pytest.MonkeyPatch, signal: Any, collision: str
) -> None:
    """A savepoint survives each of these, the paid cover none."""
    vendor, statement = COLLISIONS[collision]
    if connection.vendor != vendor:
        pytest.skip(f"only {vendor} has it")

    def collide(*args: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    monkeypatch.setattr(Adapter, "get_order_reference", collide)

    assert is_told(lambda: signal.send(sender=Order, order=Order()))
    assert not Group.objects.exists()


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_shop_hears_that_a_database_was_locked_for_too_long(
    monkeypatch: pytest.MonkeyPatch, signal: Any
) -> None:
    def locked(*args: Any) -> None:
        raise OperationalError("database is locked")  # SQLite's; the driver's own has no code

    monkeypatch.setattr(Adapter, "get_order_reference", locked)

    assert is_told(lambda: signal.send(sender=Order, order=Order()))
    assert not Group.objects.exists()


@pytest.mark.parametrize("fault", [lose_connection, break_a_rule])
def test_a_shop_hears_whether_its_transaction_outlived_the_reading_of_its_cart(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]
) -> None:
    """Of a refused row SQLite and MariaDB undo the row, PostgreSQL the whole transaction."""
    monkeypatch.setattr(Adapter, "get_cart_reference", fault)

    told = is_told(lambda: freeze_cover(HttpRequest(), Cart()))

    assert Group.objects.exists() != told
