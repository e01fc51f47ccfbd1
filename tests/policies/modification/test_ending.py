"""A priced change that can no longer be made: nobody is asked to pay for it, and it ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_xcover import payments, tasks
from django_xcover.exceptions import ActionRefused
from django_xcover.mirror import refresh
from django_xcover.models import Cancellation, Modification, QuotePackage
from django_xcover.policies import cancellation, modification
from django_xcover.sandbox import Sandbox
from django_xcover.support import timeline
from django_xcover.support.follow_ups import modification_steps
from tests.buying import Buy
from tests.conftest import the_package, work
from tests.policies.cancellation.support import cancel_elsewhere
from tests.policies.modification.support import State, details, price
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def package(buy: Buy) -> QuotePackage:
    """Return a booking of cover for a ticket and for a laptop of 1200."""
    return buy(ticket(), laptop())


@pytest.fixture
def found(package: QuotePackage) -> Modification:
    """Return a change of the laptop's value that costs more, and is not settled."""
    return price(package)


def another_is_made(package: QuotePackage) -> None:
    modification.settle(price(package, "900"))
    work()


def the_ticket_is_cancelled(package: QuotePackage) -> None:
    tickets = package.quotes.get(line_reference="ticket")
    cancellation.cancel_now(package, quotes=[tickets], origin=Cancellation.Origin.STAFF)
    work()


def all_is_cancelled_elsewhere(package: QuotePackage) -> None:
    cancel_elsewhere()
    refresh.refresh(package)


def the_laptop_is_cancelled_elsewhere(package: QuotePackage) -> None:
    cancel_elsewhere(package.quotes.get(line_reference="laptop").quote_id)
    refresh.refresh(package)


WHAT_ENDS_IT = (
    another_is_made,
    the_ticket_is_cancelled,
    all_is_cancelled_elsewhere,
    the_laptop_is_cancelled_elsewhere,
)
Happens = Callable[[QuotePackage], None]


def due_for(change: Modification) -> object:
    return payments.find("modification", str(change.pk))


def steps_for(change: Modification) -> list[object]:
    return list(modification_steps(Modification.objects.get(pk=change.pk)))


@pytest.mark.parametrize("happens", WHAT_ENDS_IT)
def test_nobody_is_asked_to_pay_for_a_change_that_would_be_refused(
    package: QuotePackage, found: Modification, happens: Happens
) -> None:
    assert due_for(found) is not None
    assert len(steps_for(found)) == 1

    happens(package)

    assert due_for(found) is None
    assert steps_for(found) == []
    with pytest.raises(ActionRefused):
        modification.settle(found)


@pytest.mark.parametrize("happens", WHAT_ENDS_IT)
def test_a_change_that_can_no_longer_be_made_is_given_up(
    package: QuotePackage, found: Modification, happens: Happens
) -> None:
    happens(package)

    tasks.sweep_unpaid()

    found.refresh_from_db()
    assert (found.state, found.changes) == (State.ABANDONED, {})


def test_a_change_that_can_be_made_stays_open(package: QuotePackage, found: Modification) -> None:
    details(package, phone="+441632960000")
    work()

    assert modification.give_up_outdated() == []
    assert due_for(found) is not None


def test_a_change_stays_open_while_it_is_not_known_what_becomes_of_another(
    package: QuotePackage, found: Modification, sandbox: Sandbox
) -> None:
    modification.settle(price(package, "900"))
    assert due_for(found) is None
    assert modification.give_up_outdated() == []

    sandbox.faults.add("confirm_modification", "status", status=422, body={"errors": ["No"]})
    work()

    assert modification.give_up_outdated() == []
    assert due_for(found) is not None


def test_a_change_stays_open_while_it_is_not_known_whether_its_cover_is_cancelled(
    package: QuotePackage, found: Modification, sandbox: Sandbox
) -> None:
    cancellation.cancel_now(package, origin=Cancellation.Origin.STAFF)
    assert due_for(found) is None
    assert modification.give_up_outdated() == []

    sandbox.faults.add("cancel_booking", "status", status=422, body={"errors": ["No"]})
    work()

    assert modification.give_up_outdated() == []
    assert due_for(found) is not None


def test_the_order_tells_staff_to_settle_nothing_that_is_outdated(
    package: QuotePackage, found: Modification
) -> None:
    another_is_made(package)

    told = [step.what for step in timeline.package_next_steps(the_package())]

    assert told == []
