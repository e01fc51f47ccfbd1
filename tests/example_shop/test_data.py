"""What the demo fills the shop with."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.utils import timezone

from example_shop import data_dir
from example_shop.demo import data
from example_shop.models import Product
from tests.example_shop.conftest import FESTIVAL, product


def test_filling_again_overwrites_nothing_that_was_changed(goods: None) -> None:
    Product.objects.filter(slug=FESTIVAL).update(name="Renamed by staff")
    staff = get_user_model().objects.get(username=data.STAFF.username)
    staff.set_password("a better one")
    staff.save()

    data.fill()

    staff.refresh_from_db()
    assert product(FESTIVAL).name == "Renamed by staff"
    assert staff.check_password("a better one")
    assert Product.objects.count() == 12


def test_an_event_that_has_passed_is_on_again_after_a_restart(goods: None) -> None:
    Product.objects.filter(slug=FESTIVAL).update(starts_at=timezone.now() - timedelta(days=1))

    data.fill()

    assert product(FESTIVAL) in Product.objects.on_sale()


def test_everything_on_sale_has_a_picture(goods: None) -> None:
    assert all(finders.find(item.art) for item in Product.objects.all())


def test_the_signing_key_is_this_installations_own_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_dir, "DATA_DIR", tmp_path / "one")
    key = data_dir.secret_key()
    again = data_dir.secret_key()
    monkeypatch.setattr(data_dir, "DATA_DIR", tmp_path / "two")

    assert key == again != data_dir.secret_key()
    assert len(key) >= 50


def test_only_its_owner_may_read_the_signing_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_dir, "DATA_DIR", tmp_path)

    data_dir.secret_key()

    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_of_two_processes_that_make_the_key_at_once_both_use_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def somebody_was_faster(source: Any, target: Path) -> None:
        target.write_text("theirs")
        link(source, target)

    monkeypatch.setattr(data_dir, "DATA_DIR", tmp_path)
    monkeypatch.setattr(os, "link", somebody_was_faster)

    assert data_dir.secret_key() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
