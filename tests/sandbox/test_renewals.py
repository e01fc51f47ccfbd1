"""The next period of a policy: quoted, confirmed, declined, lapsed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from tests.sandbox.support import HOME, LAPTOP, TICKET, Caller, a_booking

YEARLY = {**LAPTOP, "term": 12}


@pytest.fixture
def booking(caller: Caller) -> dict[str, Any]:
    """Return a booking of one yearly policy."""
    return caller.booked(YEARLY)


@pytest.fixture
def due(sandbox: Sandbox, booking: dict[str, Any]) -> dict[str, Any]:
    """Return it two weeks before its year is over."""
    sandbox.clock.advance(days=350)
    return booking


def _quoted(caller: Caller, booking: dict[str, Any]) -> requests.Response:
    return caller.call("PATCH", f"renewals/{booking['id']}/quote_for_renewal/")


def _confirmed(
    caller: Caller, booking: dict[str, Any], renewal_id: str, body: Any = None
) -> requests.Response:
    """Confirm with `body`, by default with the required fields of the first policy."""
    path = f"renewals/{booking['id']}/confirm/{renewal_id}/"
    return caller.call("POST", path, _required(booking) if body is None else body)


def _required(booking: dict[str, Any]) -> dict[str, Any]:
    """Return what the confirmation of a renewal cannot go without."""
    return {
        key: quote[name]
        for quote in booking.get("quotes", [])[:1]
        for key, name in (("id", "id"), ("policy_start_date", "policy_end_date"))
    }


def _declined(caller: Caller, booking: dict[str, Any]) -> requests.Response:
    return caller.call("POST", f"renewals/{booking['id']}/opt_out/", {})


def _refusal(answer: requests.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("errors") or answer.json()["message"]


def _found(caller: Caller, booking: dict[str, Any]) -> dict[str, Any]:
    return dict(caller.call("GET", f"bookings/{booking['id']}/").json())


def test_a_policy_that_never_renews_is_not_quoted(caller: Caller) -> None:
    booking = caller.booked(TICKET)

    sentence = f"Quote {booking['quotes'][0]['id']} can not be renewed"
    assert _refusal(_quoted(caller, booking)) == (422, [sentence])
    assert _refusal(_declined(caller, booking)) == (422, [sentence])


def test_a_renewal_quoted_too_early_is_told_from_when(
    caller: Caller, booking: dict[str, Any]
) -> None:
    quote = booking["quotes"][0]
    opens = datetime.fromisoformat(quote["policy_end_date"]) - timedelta(days=60)

    sentence = f"Quote {quote['id']} can not be renewed before {opens:%Y-%m-%d}"
    assert _refusal(_quoted(caller, booking)) == (422, [sentence])


def test_a_renewal_quoted_too_late_is_told_until_when(
    caller: Caller, sandbox: Sandbox, booking: dict[str, Any]
) -> None:
    sandbox.clock.advance(days=427)
    quote = booking["quotes"][0]
    lapsed = datetime.fromisoformat(quote["policy_end_date"]) + timedelta(days=60)

    sentence = f"Quote {quote['id']} could be renewed until {lapsed:%Y-%m-%d}"
    assert _refusal(_quoted(caller, booking)) == (422, [sentence])


def test_a_quoted_renewal_lapses(caller: Caller, sandbox: Sandbox, due: dict[str, Any]) -> None:
    renewal_id = _quoted(caller, due).json()["renewal_id"]
    sandbox.clock.advance(days=90)

    status, (sentence,) = _refusal(_confirmed(caller, due, renewal_id))

    assert (status, "could be renewed until" in sentence) == (422, True)


def test_a_booking_that_is_not_confirmed_is_not_renewed(caller: Caller) -> None:
    package, booking = caller.quoted(YEARLY), caller.booked(YEARLY)
    caller.call("POST", f"bookings/{booking['id']}/cancel", {})

    words = "Status change not allowed for QuotePackage in status"
    assert _refusal(_quoted(caller, package)) == (422, [f"{words} RECEIVED"])
    assert _refusal(_quoted(caller, booking)) == (422, [f"{words} CANCELLED"])
    assert _refusal(_declined(caller, booking)) == (422, [f"{words} CANCELLED"])


def test_an_unknown_booking_has_no_renewal(caller: Caller) -> None:
    unknown = {"id": "AAAAA-AAAAA-INS"}

    refused = (404, "Quote package does not exist")
    assert _refusal(_quoted(caller, unknown)) == refused
    assert _refusal(_confirmed(caller, unknown, "x")) == refused
    assert _refusal(_declined(caller, unknown)) == refused


def test_a_quote_for_renewal_takes_no_payload(caller: Caller, due: dict[str, Any]) -> None:
    path = f"renewals/{due['id']}/quote_for_renewal/"

    answer = caller.call("PATCH", path, {"quotes": []})

    assert _refusal(answer) == (422, {"quotes": "Unexpected field"})


def test_a_renewal_id_has_capitals_that_matter(caller: Caller, due: dict[str, Any]) -> None:
    renewal_id = _quoted(caller, due).json()["renewal_id"]

    swapped = renewal_id.swapcase()
    assert _refusal(_confirmed(caller, due, swapped)) == (404, "Renewal does not exist")
    legacy = caller.call("PATCH", f"renewals/{swapped}/confirmation", {"paid_on": "2030-01-01"})
    assert _refusal(legacy) == (404, "Renewal does not exist")


def test_a_renewal_of_another_partner_does_not_exist(
    caller: Caller, sandbox: Sandbox, due: dict[str, Any]
) -> None:
    renewal_id = _quoted(caller, due).json()["renewal_id"]
    sandbox.add_partner(partner_code="SHOP2", api_key="other", api_secret="other")
    other = Caller(caller.session, caller.base_url, "other", "other", "SHOP2")

    answer = other.call("PATCH", f"renewals/{renewal_id}/confirmation", {"paid_on": "2030-01-01"})

    assert _refusal(answer) == (404, "Renewal does not exist")


def test_a_renewal_is_confirmed_once(caller: Caller, due: dict[str, Any]) -> None:
    first, second = (_quoted(caller, due).json()["renewal_id"] for _ in range(2))

    done = _confirmed(caller, due, first)

    earlier = due["quotes"][0]["id"]
    assert done.status_code == 201
    assert _refusal(_confirmed(caller, due, first)) == (
        422,
        [f"Renewal {first} is already confirmed"],
    )
    assert _refusal(_confirmed(caller, due, second)) == (
        422,
        [f"Quote {earlier} is already renewed"],
    )


def test_a_repeated_confirmation_with_its_key_is_the_first_answer(
    caller: Caller, sandbox: Sandbox, due: dict[str, Any]
) -> None:
    renewal_id = _quoted(caller, due).json()["renewal_id"]
    path = f"renewals/{due['id']}/confirm/{renewal_id}/"

    first, second = (caller.call("POST", path, _required(due), key="one") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 409)
    assert first.content == second.content
    assert len(sandbox.package(due["id"])["quotes"]) == 2


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (
            {"id": "nobody", "policy_start_date": "2030-01-01"},
            {"id": ["Quote nobody does not exist"]},
        ),
        (
            {},
            {"id": ["This field is required."], "policy_start_date": ["This field is required."]},
        ),
        ({"id": "nobody"}, {"policy_start_date": ["This field is required."]}),
        ({"quotes": [{"policy_start_date": "2030-01-01"}]}, {"quotes": [{"id": "?"}]}),
        (
            {"id": "nobody", "policy_start_date": "2030-01-01", "price": 1},
            {"price": "Unexpected field"},
        ),
    ],
)
def test_a_confirmation_that_names_what_is_not_there_is_refused(
    caller: Caller, due: dict[str, Any], body: Any, errors: Any
) -> None:
    renewal_id = _quoted(caller, due).json()["renewal_id"]

    answer = _confirmed(caller, due, renewal_id, body)

    expected = {"quotes": [{"id": ["This field is required."]}]} if "quotes" in errors else errors
    assert _refusal(answer) == (422, expected)
    assert _found(caller, due)["quotes"][0]["status"] == "CONFIRMED"


def test_a_renewal_neither_overlaps_nor_ends_at_will(caller: Caller, due: dict[str, Any]) -> None:
    shown = _quoted(caller, due).json()
    quote, renewal_id = shown["quotes"][0], shown["renewal_id"]
    early = {"id": quote["id"], "policy_start_date": "2020-01-01T00:00:00Z"}
    long = {
        "id": quote["id"],
        "policy_start_date": quote["policy_start_date"],
        "policy_end_date": "2099-01-01T00:00:00Z",
    }

    starts, ends = quote["policy_start_date"], quote["policy_end_date"]
    assert _refusal(_confirmed(caller, due, renewal_id, early)) == (
        422,
        {"policy_start_date": [f"The renewal can not start before {starts}"]},
    )
    assert _refusal(_confirmed(caller, due, renewal_id, long)) == (
        422,
        {"policy_end_date": [f"The renewal ends on {ends}"]},
    )


def test_a_declined_renewal_cannot_be_quoted_and_declining_twice_is_no_fault(
    caller: Caller, due: dict[str, Any]
) -> None:
    renewal_id = _quoted(caller, due).json()["renewal_id"]

    first, second = _declined(caller, due), _declined(caller, due)

    sentence = f"The renewal of quote {due['quotes'][0]['id']} was declined"
    assert (first.status_code, first.content, second.status_code) == (204, b"", 204)
    assert _refusal(_quoted(caller, due)) == (422, [sentence])
    assert _refusal(_confirmed(caller, due, renewal_id)) == (422, [sentence])
    found = _found(caller, due)["quotes"][0]
    assert (found["status"], found["next_renewal"]) == ("CONFIRMED", None)


def test_a_policy_cancelled_since_cannot_be_renewed(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(YEARLY, {**YEARLY, "name": "Phone"})
    sandbox.clock.advance(days=350)
    renewal_id = _quoted(caller, booking).json()["renewal_id"]
    gone = booking["quotes"][0]["id"]
    caller.call("POST", f"bookings/{booking['id']}/cancel", {"quotes": [{"id": gone}]})

    answer = _confirmed(caller, booking, renewal_id)

    assert _refusal(answer) == (422, [f"Quote {gone} can not be renewed"])


def test_a_quoted_renewal_shows_the_next_period_and_changes_nothing(
    caller: Caller, sandbox: Sandbox, due: dict[str, Any]
) -> None:
    before = _found(caller, due)

    answer = _quoted(caller, due)

    shown, earlier = answer.json(), due["quotes"][0]
    (quote,) = shown["quotes"]
    assert answer.status_code == 200
    assert shown["id"] == due["id"]
    assert shown["total_price"] == quote["price"] > 0
    assert (quote["status"], quote["confirmed_at"]) == ("RECEIVED", None)
    assert quote["id"] != earlier["id"]
    assert quote["policy_start_date"] == earlier["policy_end_date"] == earlier["next_renewal"]
    assert quote["policy_end_date"] > quote["policy_start_date"]
    assert _found(caller, due) == before


def test_a_confirmed_renewal_puts_the_new_period_in_force(
    caller: Caller, sandbox: Sandbox, due: dict[str, Any]
) -> None:
    shown = _quoted(caller, due).json()

    done = _confirmed(caller, due, shown["renewal_id"]).json()

    found = _found(caller, due)
    earlier, new = found["quotes"]
    assert (found["status"], earlier["status"], new["status"]) == (
        "CONFIRMED",
        "RENEWED",
        "CONFIRMED",
    )
    assert new["id"] == shown["quotes"][0]["id"]
    assert new["policy_start_date"] == earlier["policy_end_date"]
    assert (earlier["next_renewal"], new["next_renewal"]) == (None, new["policy_end_date"])
    assert (earlier["can_be_cancelled"], new["can_be_cancelled"]) == (False, True)
    assert done["total_price"] == found["total_price"] == shown["total_price"]
    assert found["total_tax"] == new["tax"]["total_tax"]
    assert [quote["renewed_times"] for quote in sandbox.package(due["id"])["quotes"]] == [0, 1]


def test_a_renewal_after_the_end_begins_where_the_period_ended(
    caller: Caller, sandbox: Sandbox, booking: dict[str, Any]
) -> None:
    sandbox.clock.advance(timedelta(days=400))

    quote = _quoted(caller, booking).json()["quotes"][0]

    assert quote["policy_start_date"] == booking["quotes"][0]["policy_end_date"]


def test_a_renewal_may_begin_later_than_the_period_ended(
    caller: Caller, due: dict[str, Any]
) -> None:
    renewal_id = _quoted(caller, due).json()["renewal_id"]
    ends = datetime.fromisoformat(due["quotes"][0]["policy_end_date"])
    later = (ends + timedelta(days=3)).isoformat()

    body = {"id": due["quotes"][0]["id"], "policy_start_date": later}
    new = _confirmed(caller, due, renewal_id, body).json()["quotes"][1]

    assert new["policy_start_date"] == later


def test_a_renewal_can_be_paid_in_instalments(caller: Caller, due: dict[str, Any]) -> None:
    shown = _quoted(caller, due).json()
    new = shown["quotes"][0]["id"]

    body = {"quotes": [{**_required(due), "id": new, "instalment_plan": "1year-monthly"}]}
    _confirmed(caller, due, shown["renewal_id"], body)

    (schedule,) = caller.call("GET", f"bookings/{due['id']}/instalments/").json()["quotes"]
    assert schedule["id"] == new
    assert [entry["status"] for entry in schedule["payment_schedule"]] == ["PAID"] + ["UNPAID"] * 11


def test_the_next_period_knows_nothing_of_how_the_last_was_paid(
    caller: Caller, sandbox: Sandbox
) -> None:
    package = caller.quoted(YEARLY)
    body = a_booking(package)
    body["quotes"][0]["instalment_plan"] = "1year-monthly"
    booking = caller.call("POST", f"bookings/{package['id']}/", body).json()
    earlier = booking["quotes"][0]["id"]
    change = {"quotes": [{"id": earlier, "update_fields": {"price": 1999}}]}
    assert caller.call("PATCH", f"bookings/{booking['id']}/", change).status_code == 200
    sandbox.clock.advance(days=350)
    shown = _quoted(caller, booking).json()

    plan = {"quotes": [{**_required(booking), "instalment_plan": "1year-quarterly"}]}
    _confirmed(caller, booking, shown["renewal_id"], plan)

    old, new = caller.call("GET", f"bookings/{booking['id']}/instalments/").json()["quotes"]
    assert (old["id"], len(old["payment_schedule"])) == (earlier, 12)
    assert len(new["payment_schedule"]) == 4
    back = caller.call("POST", f"bookings/{booking['id']}/cancel", {"preview": True}).json()
    assert back["total_refund"] == new["total_amount_paid"]


def test_a_policy_paid_in_parts_is_renewed_at_its_whole_price(
    caller: Caller, sandbox: Sandbox
) -> None:
    package = caller.quoted(YEARLY)
    body = a_booking(package)
    body["quotes"][0]["instalment_plan"] = "1year-monthly"
    booking = caller.call("POST", f"bookings/{package['id']}/", body).json()
    sandbox.clock.advance(days=350)

    _confirmed(caller, booking, _quoted(caller, booking).json()["renewal_id"])

    schedules = caller.call("GET", f"bookings/{booking['id']}/instalments/").json()["quotes"]
    assert [schedule["id"] for schedule in schedules] == [booking["quotes"][0]["id"]]


def test_a_policy_renewed_twice_counts_and_costs_twice(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(HOME)
    nets = [booking["quotes"][0]["tax"]["total_amount_without_tax"]]
    for _ in range(2):
        sandbox.clock.advance(days=350)
        shown = _quoted(caller, booking).json()
        nets.append(shown["quotes"][0]["tax"]["total_amount_without_tax"])
        quote = shown["quotes"][0]
        dates = {"id": quote["id"], "policy_start_date": quote["policy_start_date"]}
        _confirmed(caller, booking, shown["renewal_id"], dates)

    assert [quote["renewed_times"] for quote in sandbox.package(booking["id"])["quotes"]] == [
        0,
        1,
        2,
    ]
    assert nets[1] / nets[0] == pytest.approx(1.03, abs=0.001)
    assert nets[2] / nets[1] == pytest.approx(1.03, abs=0.001)


def test_only_what_renews_is_renewed_and_the_rest_stays(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(TICKET, YEARLY)
    sandbox.clock.advance(days=350)
    shown = _quoted(caller, booking).json()

    due = {"quotes": booking["quotes"][1:]}
    body = _required(due)
    done = _confirmed(caller, booking, shown["renewal_id"], body).json()

    assert [quote["status"] for quote in done["quotes"]] == ["CONFIRMED", "RENEWED", "CONFIRMED"]
    prices = [quote["price"] for quote in done["quotes"]]
    assert done["total_price"] == pytest.approx(prices[0] + prices[2])


def test_the_confirmation_of_2020_needs_the_day_of_payment(
    caller: Caller, due: dict[str, Any]
) -> None:
    renewal_id = _quoted(caller, due).json()["renewal_id"]

    answer = caller.call("PATCH", f"renewals/{renewal_id}/confirmation", {})

    assert _refusal(answer) == (422, {"paid_on": ["This field is required."]})


def test_the_confirmation_of_2020_is_accepted_without_a_word(
    caller: Caller, sandbox: Sandbox, due: dict[str, Any]
) -> None:
    renewal_id = _quoted(caller, due).json()["renewal_id"]

    body = {"paid_on": "2020-01-05 02:42:12Z"}
    answer = caller.call("PATCH", f"renewals/{renewal_id}/confirmation", body)

    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["Allow"] == "PATCH, OPTIONS"
    assert "Content-Type" not in answer.headers
    assert [quote["status"] for quote in _found(caller, due)["quotes"]] == ["RENEWED", "CONFIRMED"]
    paid_on = sandbox.package(due["id"])["renewals"][renewal_id]["paid_on"]
    assert paid_on == datetime.fromisoformat("2020-01-05T02:42:12+00:00")


def test_a_renewal_outlives_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.sqlite3")
    with requests.Session() as session:
        first = Sandbox(database=database)
        mount(session, "https://xcover.test/x", first)
        caller = Caller(session, "https://xcover.test/x")
        booking = caller.booked(YEARLY)
        first.clock.advance(days=350)
        renewal_id = _quoted(caller, booking).json()["renewal_id"]
        first.close()

        second = Sandbox(database=database)
        mount(session, "https://xcover.test/x", second)
        done = _confirmed(caller, booking, renewal_id)

        assert done.status_code == 201
        assert second.package(booking["id"])["quotes"][0]["status"] == "RENEWED"
        second.close()
