"""What a database says is kept without the customer's data."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import DataError, IntegrityError

from django_xcover.tracebacks import clears_frames
from tests.security.reporting import MARKER, caught, leaks

pytestmark = pytest.mark.django_db


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
