"""The page about testing is itself a set of tests: they are collected here, and run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.conf import settings as django_settings
from factory import Trait

from django_xcover.testing import factories
from tests.docs.pages import DOCS, blocks, code_in, table

PAGE = DOCS / "testing.md"
EAGER = "CELERY_TASK_ALWAYS_EAGER = True\n"

for block in blocks(PAGE):
    # Its first block is a setting, which `settings_of_the_page` puts in force.
    if block.language == "python" and block.text != EAGER:
        exec(block.code(), globals())  # noqa: S102 - the page is what is tested


@pytest.fixture(autouse=True)
def settings_of_the_page(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let tasks run at once, except where the page does without."""
    eager = current_app.conf.task_always_eager
    current_app.conf.task_always_eager = "before_the_money" not in request.node.name
    yield
    current_app.conf.task_always_eager = eager


def test_the_page_says_which_setting_its_tests_need() -> None:
    assert EAGER in [block.text for block in blocks(PAGE)]
    assert current_app.conf.task_always_eager


def test_the_page_has_its_tests_here() -> None:
    names: dict[str, Any] = globals()

    assert len([name for name in names if name.startswith("test_")]) >= 8
    assert django_settings.CELERY_BROKER_URL == "memory://"


def test_every_factory_is_documented_with_its_traits() -> None:
    documented = {code_in(row[0])[0]: code_in(row[1]) for row in table(PAGE, "| Factory |")}

    assert documented == {
        name: [
            trait
            for trait, value in getattr(factories, name)._meta.parameters.items()
            if isinstance(value, Trait)
        ]
        for name in factories.__all__
    }
