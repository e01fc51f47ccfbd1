"""What a worker is refused by XCover: the state it leaves, and the sentence for each person.

A list, held against the kinds of operations and against the forms of refusals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest
from django.utils import timezone

from django_xcover.models import (
    Attention,
    Cancellation,
    Modification,
    Operation,
    OperationKind,
    OperationState,
    Renewal,
)
from django_xcover.outbox import operations
from django_xcover.overview import documents
from django_xcover.overview.policies import policy_rows, summarise
from django_xcover.policies import (
    cancellation,
    emails,
    instalments,
    modification,
)
from django_xcover.policies import (
    renewal as renewing,
)
from django_xcover.sandbox import Sandbox
from django_xcover.support import give_up
from django_xcover.support.next_steps import next_step_of
from tests.conftest import the_package, work
from tests.contract.conftest import Buyer, the_latest
from tests.contract.refusals import REFUSALS, Kind, Refusal

pytestmark = pytest.mark.django_db

# What staff read of an operation that stopped.
STOPPED = {
    Kind.VALUES: "stopped: XCover refused the order's data.",
    Kind.STATE: "stopped: the package's status at XCover does not allow it.",
    Kind.UNKNOWN: "stopped: XCover does not know this package.",
    Kind.CREDENTIALS: "stopped: XCover did not accept our credentials.",
    Kind.OTHER: "stopped: XCover refused it.",
}
NOT_CANCELLABLE = "This cover cannot be cancelled."
NOT_MODIFIABLE = "This cover cannot be changed."
NOT_ACCEPTED = "XCover does not accept this change."
NO_ANSWER_ABOUT_IT = (Kind.CREDENTIALS,)
Told = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One kind of operation: the call that is refused, and what becomes of it.

    `waits` are the refusals after which the operation waits for a person, all by default. `told`
    returns the state that is left for the customer, and their sentence ("" where there is none).
    `given_up` is that state once a person has ended it, and `flagged` what the package then is
    flagged for.
    """

    kind: OperationKind
    call: str
    name: str
    do: Callable[[Buyer], object]
    told: Callable[[], Told]
    waiting: Told
    waits: tuple[Kind, ...] = tuple(Kind)
    over: Callable[[Refusal], Told] | None = None
    attention: str = ""
    given_up: str
    flagged: str = ""


def its_policy() -> Told:
    return summarise(policy_rows().get()).state.value, ""


def its_package() -> Told:
    return the_package().status, ""


def its_cancellation() -> Told:
    found = Cancellation.objects.get()
    return found.state, cancellation.refusal_of(found)


def its_change() -> Told:
    found = Modification.objects.get()
    return found.state, modification.refusal_of(found)


def its_renewal() -> Told:
    return Renewal.objects.get().state, ""


def its_part() -> Told:
    return instalments.mirror(the_package())[1].status, ""


def its_email() -> Told:
    found = documents.mail_of(policy_rows().get())
    assert found is not None
    return str(found.state), ""


# The fields of a refusal as the person who asked for the change knows them.
IN_WORDS = {
    "currency: ": "Currency: ",
    "policy_version: ": "Policy version: ",
    "policyholder.phone: ": "Phone, with + and the country code: ",
}


def change_refused(refusal: Refusal) -> Told:
    """Say it with XCover's words where they are about the values, and name the field in ours."""
    if refusal.kind == Kind.STATE:
        return "refused", NOT_MODIFIABLE
    words = refusal.said if refusal.kind == Kind.VALUES and "errors" in refusal.body else ""
    for path, name in IN_WORDS.items():
        words = words.replace(path, name)
    return "refused", f"{NOT_ACCEPTED} {words}".strip()


def pays(buyer: Buyer) -> None:
    buyer.has_cover()
    renewal = renewing.quote(buyer.comes_back_at_the_end())
    assert renewal.premium is not None
    renewing.record_payment(renewal, amount=renewal.premium, reference="pay-1")


def pays_the_older_way(buyer: Buyer) -> None:
    buyer.has_cover()
    renewal = renewing.quote(buyer.comes_back_at_the_end())
    renewing.confirm_legacy(renewal, paid_on=timezone.now())


def cancels_at_once(buyer: Buyer) -> None:
    cancellation.cancel_now(buyer.has_cover(), origin=Cancellation.Origin.STAFF)


def cancels_what_was_shown(buyer: Buyer) -> None:
    buyer.has_cover()
    cancellation.request(buyer.previews())


def changes_details(buyer: Buyer) -> None:
    modification.change_details(buyer.has_cover(), {"phone": "+441632960000"}, origin="shopper")


def changes_what_was_priced(buyer: Buyer) -> None:
    buyer.has_cover()
    modification.settle(buyer.asks_for_a_price(), reference="pay-1")


def declines(buyer: Buyer) -> None:
    buyer.has_cover()
    renewing.opt_out(buyer.comes_back_at_the_end())


def reports(buyer: Buyer) -> None:
    buyer.has_cover()
    instalments.report(buyer.second_part(), paid=True)


ACTS = (
    Act(
        kind=OperationKind.BOOK,
        call="create_booking",
        name="Booking",
        do=lambda buyer: buyer.orders(),
        told=its_policy,
        waiting=("needs_person", ""),
        given_up="needs_person",
        flagged=Attention.BOOKING_FAILED,
    ),
    Act(
        kind=OperationKind.INSTANT_BOOK,
        call="instant_booking",
        name="Instant booking",
        do=lambda buyer: buyer.orders_at_once(),
        told=its_policy,
        waiting=("needs_person", ""),
        given_up="needs_person",
        flagged=Attention.BOOKING_FAILED,
    ),
    Act(
        kind=OperationKind.CONFIRM_PAYMENT,
        call="confirm_booking",
        name="Payment confirmation",
        do=lambda buyer: buyer.pays_later(),
        told=its_policy,
        waiting=("needs_person", ""),
        given_up="needs_person",
        flagged=Attention.BOOKING_FAILED,
    ),
    Act(
        kind=OperationKind.OPT_OUT,
        call="opt_out",
        name="Opt-out",
        do=lambda buyer: buyer.orders(yes=False),
        told=its_package,
        waiting=("RECEIVED", ""),
        given_up="RECEIVED",
    ),
    Act(
        kind=OperationKind.CANCEL,
        call="cancel_booking",
        name="Cancellation",
        do=cancels_at_once,
        told=its_cancellation,
        waits=NO_ANSWER_ABOUT_IT,
        waiting=("requested", ""),
        over=lambda refusal: ("refused", NOT_CANCELLABLE),
        attention=Attention.CANCELLATION_REFUSED,
        given_up="refused",
        flagged=Attention.CANCELLATION_REFUSED,
    ),
    Act(
        kind=OperationKind.CANCEL,
        call="confirm_cancellation",
        name="Cancellation",
        do=cancels_what_was_shown,
        told=its_cancellation,
        waits=NO_ANSWER_ABOUT_IT,
        waiting=("requested", ""),
        over=lambda refusal: ("refused", NOT_CANCELLABLE),
        attention=Attention.CANCELLATION_REFUSED,
        given_up="refused",
        flagged=Attention.CANCELLATION_REFUSED,
    ),
    Act(
        kind=OperationKind.MODIFY,
        call="modify_booking",
        name="Change of the cover",
        do=changes_details,
        told=its_change,
        waits=NO_ANSWER_ABOUT_IT,
        waiting=("requested", ""),
        over=change_refused,
        given_up="refused",
    ),
    Act(
        kind=OperationKind.MODIFY,
        call="confirm_modification",
        name="Change of the cover",
        do=changes_what_was_priced,
        told=its_change,
        waits=NO_ANSWER_ABOUT_IT,
        waiting=("requested", ""),
        over=change_refused,
        attention=Attention.CHANGE_REFUSED,
        given_up="refused",
        flagged=Attention.CHANGE_REFUSED,
    ),
    Act(
        kind=OperationKind.RENEW,
        call="confirm_renewal",
        name="Renewal",
        do=pays,
        told=its_renewal,
        waiting=("paid", ""),
        given_up="expired",
    ),
    Act(
        kind=OperationKind.RENEW,
        call="confirm_renewal_legacy",
        name="Renewal",
        do=pays_the_older_way,
        told=its_renewal,
        waiting=("paid", ""),
        given_up="expired",
    ),
    Act(
        kind=OperationKind.RENEWAL_OPT_OUT,
        call="opt_out_of_renewal",
        name="Renewal opt-out",
        do=declines,
        told=its_renewal,
        waits=(*NO_ANSWER_ABOUT_IT, Kind.UNKNOWN, Kind.OTHER),
        waiting=("opting_out", ""),
        over=lambda refusal: ("expired", ""),
        given_up="expired",
    ),
    Act(
        kind=OperationKind.REPORT_INSTALMENT,
        call="report_instalment",
        name="Instalment report",
        do=reports,
        told=its_part,
        waiting=("UNPAID", ""),
        given_up="UNPAID",
    ),
    Act(
        kind=OperationKind.SEND_EMAIL,
        call="send_email",
        name="E-mail request",
        do=lambda buyer: emails.send_again(buyer.has_cover(), emails.CREATED),
        told=its_email,
        waits=NO_ANSWER_ABOUT_IT,
        waiting=("stuck", ""),
        over=lambda refusal: ("refused", ""),
        given_up="refused",
    ),
)
PAIRS = tuple(product(ACTS, REFUSALS))
# After this one every kind of operation waits for a person.
NO_CREDENTIALS = next(one for one in REFUSALS if one.kind == Kind.CREDENTIALS)


def named(pairs: object) -> str:
    return pairs.call if isinstance(pairs, Act) else getattr(pairs, "name", "")


def refused(buyer: Buyer, sandbox: Sandbox, act: Act, refusal: Refusal) -> None:
    act.do(buyer)
    refusal.plan(sandbox, act.call)
    work()


def test_every_kind_of_operation_is_in_the_list() -> None:
    assert {act.kind for act in ACTS} == set(OperationKind)


@pytest.mark.parametrize(
    ("act", "refusal"), [pair for pair in PAIRS if pair[1].kind in pair[0].waits], ids=named
)
def test_a_refusal_that_a_person_has_to_mend_says_what_it_is(
    buyer: Buyer, sandbox: Sandbox, act: Act, refusal: Refusal
) -> None:
    refused(buyer, sandbox, act, refusal)

    operation = the_latest()
    assert (operation.kind, operation.state) == (act.kind, OperationState.NEEDS_PERSON)
    [step] = next_step_of(operation)
    assert step.what == f"{act.name} {STOPPED[refusal.kind]}"
    assert refusal.said in step.error
    assert act.told() == act.waiting


@pytest.mark.parametrize(
    ("act", "refusal"), [pair for pair in PAIRS if pair[1].kind not in pair[0].waits], ids=named
)
def test_a_refusal_that_is_an_answer_ends_it_with_a_sentence(
    buyer: Buyer, sandbox: Sandbox, act: Act, refusal: Refusal
) -> None:
    refused(buyer, sandbox, act, refusal)

    assert (the_latest().kind, the_latest().state) == (act.kind, OperationState.DISCARDED)
    assert act.over is not None
    assert act.told() == act.over(refusal)
    assert the_package().attention == act.attention


@pytest.mark.parametrize("act", ACTS, ids=named)
def test_what_a_person_gives_up_leaves_nobody_waiting(
    buyer: Buyer, sandbox: Sandbox, act: Act
) -> None:
    refused(buyer, sandbox, act, NO_CREDENTIALS)
    behind = Operation.objects.create(package=the_package(), kind=OperationKind.RENEW, subject="0")

    give_up.give_up(Operation.objects.get(state=OperationState.NEEDS_PERSON), note="By hand.")

    assert act.told()[0] == act.given_up
    assert the_package().attention == act.flagged
    assert operations.claim(behind.pk) == behind
