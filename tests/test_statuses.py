"""A new status or flag has to be given a place everywhere that treats them differently."""

from __future__ import annotations

import pytest

from django_xcover.admin.common import display
from django_xcover.models import BOOKED, Attention, Status
from django_xcover.orders.completion import OVER
from django_xcover.overview import policies
from django_xcover.policies.cancellation import eligibility
from django_xcover.support import erasure
from tests.docs.pages import ROOT

# What each place names, and the statuses that it leaves out on purpose.
PLACES = {
    "models/status.py": (
        BOOKED,
        {Status.RECEIVED, Status.OPTED_OUT, Status.FAILED, Status.DELETED, Status.EXPIRED},
    ),
    "orders/completion.py": (
        OVER,
        {
            *(Status.RECEIVED, Status.PENDING_PAYMENT, Status.CONFIRMED, Status.RENEWED),
            *(Status.OPTED_OUT, Status.DELETED, Status.EXPIRED),
        },
    ),
    "policies/cancellation/eligibility.py": (
        (*eligibility.NOT_CANCELLABLE, Status.CONFIRMED, Status.CANCELLED),
        {Status.RECEIVED, Status.PENDING_PAYMENT, Status.OPTED_OUT, Status.EXPIRED},
    ),
    "support/erasure.py": (
        erasure.NO_COVER,
        {Status.PENDING_PAYMENT, Status.CONFIRMED, Status.CANCELLED, Status.RENEWED},
    ),
    "overview/policies.py": (policies.STATES, set()),
    "admin/common/display.py": (display.TONES.keys() & set(Status), set()),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_status_has_been_considered(place: str) -> None:
    named, left_out = PLACES[place]

    assert {*named} | left_out == set(Status)
    assert not {*named} & left_out


def test_every_flag_has_a_short_name_in_the_admin() -> None:
    assert set(display.ATTENTION) == {reason.value for reason in Attention}


def test_the_map_names_every_place_of_a_status_and_of_a_flag() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.count("|") == 3}

    for place in PLACES:
        assert f"`{place}`" in rows["An XCover status"]
    assert "`admin/common/display.py`" in rows["A flag"]
