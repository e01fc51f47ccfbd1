"""The words of the offer: the package's own, and a shop's."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from django_xcover.offers import words

TICKETS = "event_ticket_protection"


@pytest.fixture
def say(settings: Any) -> Any:
    """Return a setter of XCOVER["OFFER_WORDS"]."""

    def set_words(**by_type: Any) -> None:
        settings.XCOVER = {**settings.XCOVER, "OFFER_WORDS": by_type}

    return set_words


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ([], "Set XCOVER['OFFER_WORDS'] to a dict"),
        ({TICKETS: "Protect {price}"}, "to a dict with any of"),
        ({TICKETS: {"headline": "Protect for {price}"}}, "to a dict with any of"),
        ({TICKETS: {"yes": "Yes"}}, "must contain {price}"),
        ({TICKETS: {"question": "Protect {event} for {price}"}}, "may only contain"),
        ({TICKETS: {"question": "Protect {label for {price}"}}, "may only contain"),
        ({"": {"yes": "Yes, protect {label} for {price}"}}, "may only contain {price}"),
        ({TICKETS: {"no": ""}}, "must be a text"),
        ({TICKETS: {"no": None}}, "must be a text"),
        ({TICKETS: {"refund_days": "14"}}, "must be a number of days"),
        ({TICKETS: {"refund_days": -1}}, "must be a number of days"),
        ({TICKETS: {"refund_days": True}}, "must be a number of days"),
    ],
)
def test_words_that_cannot_be_shown_are_refused_with_the_reason(chosen: Any, problem: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        words.refuse_unusable(chosen)

    assert problem in str(refusal.value)


def test_a_checkout_does_not_break_on_words_that_cannot_be_shown(
    say: Any, caplog: pytest.LogCaptureFixture
) -> None:
    say(**{TICKETS: {"yes": "Yes"}})

    assert "£5.25" in words.words_for(TICKETS).yes_with("£5.25")
    assert "must contain {price}" in caplog.text


def test_the_words_of_a_policy_type_come_before_those_for_all(say: Any) -> None:
    say(**{"": {"no": "No, thank you", "refund_days": 7}, TICKETS: {"refund_days": 14}})

    tickets, parcel = words.words_for(TICKETS), words.words_for("parcel_insurance")

    assert (tickets.no, tickets.full_refund) == ("No, thank you", "Full refund within 14 days.")
    assert (parcel.no, parcel.full_refund) == ("No, thank you", "Full refund within 7 days.")


def test_a_promise_for_all_policy_types_can_be_left_out_for_one(say: Any) -> None:
    say(**{"": {"refund_days": 7}, TICKETS: {"refund_days": 0}})

    assert words.words_for(TICKETS).full_refund == ""
    assert words.words_for("parcel_insurance").full_refund == "Full refund within 7 days."


def test_a_shops_words_and_labels_are_escaped(say: Any) -> None:
    say(**{TICKETS: {"question": "<b>Protect</b> {label} for {price}"}})

    headline = words.words_for(TICKETS).headline("<i>Gig</i>", "£5.25")

    assert headline.startswith("&lt;b&gt;Protect&lt;/b&gt; &lt;i&gt;Gig&lt;/i&gt; for <span")


def test_nothing_is_promised_about_refunds_by_default() -> None:
    assert not any(one.full_refund for one in (words.ANY, *words.BY_POLICY_TYPE.values()))


def test_the_record_of_an_answer_tells_one_set_of_words_from_another(say: Any) -> None:
    assert words.fingerprint() == ""
    say(**{"": {"no": _("No")}})
    first = words.fingerprint()
    say(**{"": {"no": "No, thank you"}})

    assert first != words.fingerprint() != ""
