"""The public exceptions: each has a code of its own that never changes."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
from importlib.util import find_spec

import pytest

import django_xcover
from django_xcover import exceptions
from django_xcover.client import XCoverError
from django_xcover.exceptions import ActionRefused, NotVisible, code_of
from django_xcover.values import UnusableValue
from tests.docs.exceptions import family

ROOTS = (ActionRefused, NotVisible, XCoverError, UnusableValue)


def everything() -> list[type[Exception]]:
    """Return every class of the tree, wherever it is defined."""
    for module in pkgutil.walk_packages(django_xcover.__path__, "django_xcover."):
        if module.name.startswith("django_xcover.contrib."):
            continue  # raises none of its own, and needs a shop framework
        if module.name.endswith(".outbox.django_tasks") and find_spec("django.tasks") is None:
            continue  # raises none of its own, and needs a newer Django
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: set[type[Exception]] = set()
    return sorted(found.union(*map(family, ROOTS)), key=lambda cls: cls.__name__)


def test_every_class_states_a_code_of_its_own_in_small_letters() -> None:
    classes = everything()
    codes = [vars(cls).get("code") for cls in classes]

    assert len(classes) > 60
    assert [cls for cls, code in zip(classes, codes, strict=True) if code is None] == []
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", str(code))] == []
    assert len(set(codes)) == len(codes)


def test_no_two_classes_share_a_name() -> None:
    names = [cls.__name__ for cls in everything()]

    assert len(set(names)) == len(names)


def test_the_tree_has_one_import_path() -> None:
    """Errors of calls stand in the client, which is used without Django."""
    ours = {c for c in everything() if c.__module__.startswith(f"{exceptions.__name__}.")}
    elsewhere = {cls.__module__ for cls in everything() if cls not in ours}

    assert elsewhere == {"django_xcover.client.errors", "django_xcover.values"}
    assert {cls for cls in ours if getattr(exceptions, cls.__name__, None) is not cls} == set()
    assert {cls.__name__ for cls in ours} <= set(exceptions.__all__)


def test_an_error_of_somebody_elses_goes_by_its_class() -> None:
    assert code_of(KeyError("x")) == "KeyError"
    assert code_of(exceptions.NothingDue()) == "nothing_due"


@pytest.mark.parametrize(
    "error",
    [
        exceptions.RenewalPriceChanged(price="1.00 EUR"),
        exceptions.CardNumberSent("phone"),
        exceptions.ReconciliationUnderWay("default"),
    ],
    ids=lambda error: error.code,
)
def test_a_refusal_survives_a_broker(error: ActionRefused) -> None:
    """Celery pickles what a task raised."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here

    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
