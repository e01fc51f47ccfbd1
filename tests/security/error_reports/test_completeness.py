"""Every public function, view, task and command clears its frames."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.core.management.base import BaseCommand
from django.urls import URLPattern, URLResolver, get_resolver

from django_xcover import cover, payments, policies, receivers
from django_xcover.booking import dual_payment
from django_xcover.client import XCoverClient
from django_xcover.templatetags import xcover as xcover_tags
from django_xcover.types import Policyholder, PolicyRequest, QuoteRequest
from tests.security.error_reports.support import modules, request_of
from tests.security.reporting import MARKER, caught


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
