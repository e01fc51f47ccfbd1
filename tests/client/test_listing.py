"""list_bookings walks pages, and stays at home."""

from __future__ import annotations

from itertools import islice

import pytest

from django_xcover.client import UnexpectedAnswer
from tests.client import server as does
from tests.client.conftest import Connect, Serve


def page(ids: list[int], following: object) -> does.Step:
    body = {"count": 9, "next": following, "previous": None, "results": [{"id": i} for i in ids]}
    return does.json(200, body)


def test_it_yields_every_booking_of_every_page(serve: Serve, connect: Connect) -> None:
    server = serve(
        page([1, 2], "https://h/x/?limit=2&offset=2"),
        page([3, 4], "https://h/x/?limit=2&offset=4"),
        page([5], None),
    )

    ids = [booking["id"] for booking in connect(server).list_bookings(page_size=2)]

    assert ids == [1, 2, 3, 4, 5]
    assert [seen.target.partition("?")[2] for seen in server.seen] == [
        "limit=2&offset=0",
        "limit=2&offset=2",
        "limit=2&offset=4",
    ]


def test_it_stays_on_its_host_when_next_names_another(serve: Serve, connect: Connect) -> None:
    elsewhere = serve(page([9], None))
    server = serve(page([1], f"{elsewhere.url}/bookings/?limit=1&offset=1"), page([2], None))

    ids = [booking["id"] for booking in connect(server).list_bookings(page_size=1)]

    assert ids == [1, 2]
    assert elsewhere.seen == []


def test_it_fetches_a_page_only_when_it_is_needed(serve: Serve, connect: Connect) -> None:
    server = serve(page([1, 2], "https://h/?offset=2"), page([3], None))

    list(islice(connect(server).list_bookings(page_size=2), 2))

    assert len(server.seen) == 1


def test_an_empty_list_is_no_error(serve: Serve, connect: Connect) -> None:
    assert list(connect(serve(page([], None))).list_bookings(offset=70)) == []


@pytest.mark.parametrize(
    "following", ["https://h/?offset=0", "https://h/", "https://h/?offset=x", 7, "http://[bad"]
)
def test_a_next_that_leads_nowhere_ends_in_a_typed_error(
    following: object, serve: Serve, connect: Connect
) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        list(connect(serve(page([1], following))).list_bookings())

    assert caught.value.field == "next"


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": {}}, {"results": ["x"]}])
def test_a_page_without_bookings_in_it_is_an_unexpected_answer(
    body: object, serve: Serve, connect: Connect
) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        list(connect(serve(does.json(200, body))).list_bookings())

    assert caught.value.field == "results"


def test_an_empty_page_before_the_end_leads_nowhere(serve: Serve, connect: Connect) -> None:
    server = serve(page([1], "https://h/?offset=1"), page([], "https://h/?offset=2"))

    with pytest.raises(UnexpectedAnswer, match="results"):
        list(connect(server).list_bookings(page_size=1))

    assert len(server.seen) == 2
