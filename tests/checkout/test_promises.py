"""What a shop may rely on, whatever is shown: no open transaction, a small script."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

import django_xcover
from django_xcover.offers import quoting
from django_xcover.offers.carts import CartToInsure
from tests.checkout.conftest import Visitor

STATIC = Path(django_xcover.__file__).parent / "static" / "xcover"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["offer/", "offer/page/", "choose/"])
def test_no_transaction_is_open_while_xcover_is_asked(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    inside: list[bool] = []

    def look(cart: CartToInsure, **how: Any) -> quoting.Look:
        inside.append(connection.in_atomic_block)
        return quoting.NOTHING

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    monkeypatch.setattr(quoting, "look", look)

    send = visitor.client.post if path == "choose/" else visitor.client.get
    send(f"/xcover/{path}")

    assert inside == [False]


def test_the_script_stays_under_three_kilobytes() -> None:
    assert len(gzip.compress((STATIC / "xcover.js").read_bytes())) <= 3 * 1024


@pytest.mark.parametrize("name", ["xcover.js", "xcover.css"])
def test_nothing_is_loaded_from_elsewhere(name: str) -> None:
    source = (STATIC / name).read_text()

    assert "http://" not in source
    assert "https://" not in source
    assert "@import" not in source
