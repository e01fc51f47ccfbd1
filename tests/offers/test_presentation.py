"""What a shopper is shown of a vendor's answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from django_xcover.mirror import presentation
from django_xcover.models import Quote, QuotePackage


def quote(**payload: Any) -> Quote:
    """Return a quote with this answer of XCover's."""
    package = QuotePackage(package_id="KXR4W-9PJTC-INS", currency="GBP")
    return Quote(
        package=package, quote_id="q", policy_name="Cover", price=Decimal("3.40"), payload=payload
    )


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<script>alert(1)</script>Arranged by us", "Arranged by us"),
        ("<p onclick='x()'>Arranged</p>", "<p>Arranged</p>"),
        ("<img src=x onerror=alert(1)>", ""),
        ("<a href='javascript:alert(1)'>terms</a>", "terms"),
        ("<a href='//evil.example'>terms</a>", "terms"),
        ("<a href='/cart'>the <em>terms</em></a>", "the <em>terms</em>"),
        ("<a href='#top'>terms</a>", "terms"),
        ("<a href='https:evil.example'>terms</a>", "terms"),
        ("<a href='\\\\evil.example'>terms</a>", "terms"),
        ("<a href='http://evil.example'>terms</a>", "terms"),
        ("<a href=' //evil.example'>terms</a>", "terms"),
        (
            "<a>terms</a> and <a href='https://a.example'>m</a>",
            'terms and <a href="https://a.example" target="_blank" rel="noopener noreferrer">m</a>',
        ),
        (
            "<a href='https://a.example?b&c'>t</a>",
            '<a href="https://a.example?b&amp;c" target="_blank" rel="noopener noreferrer">t</a>',
        ),
        ("<p style='position:fixed'>big</p>", "<p>big</p>"),
        ("<iframe src='https://evil.example'></iframe>", ""),
        ("N/A", ""),
        (None, ""),
        ({"odd": 1}, ""),
    ],
)
def test_a_disclaimer_keeps_its_words_and_loses_its_teeth(html: Any, clean: str) -> None:
    shown = presentation.present(quote(policy={"content": {"disclaimer": html}}))

    assert str(shown.disclaimer) == clean


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "http://evil.example/pds",
        "//evil.example",
        "data:text/html,x",
        7,
        None,
    ],
)
def test_an_address_that_is_no_safe_web_address_is_left_out(address: Any) -> None:
    assert presentation.present(quote(pds_url=address)).pds_url == ""


@pytest.mark.parametrize("host", ["127.0.0.1:8001", "127.0.0.9", "[::1]:80", "xcover.localhost"])
def test_an_address_of_a_sandbox_on_this_machine_is_kept(host: str) -> None:
    assert presentation.web_address(f"http://{host}/pds/") == f"http://{host}/pds/"


@pytest.mark.parametrize(
    "payload", [{}, {"policy": []}, {"policy": {"content": None}}, {"benefits": 3}]
)
def test_an_answer_without_texts_can_still_be_shown(payload: dict[str, Any]) -> None:
    shown = presentation.present(quote(**payload))

    assert (shown.name, shown.price_formatted) == ("Cover", "£3.40")
    assert shown.benefits == ()


def test_a_benefit_is_shown_with_its_amount_or_its_description() -> None:
    shown = presentation.present(
        quote(
            benefits=[
                {
                    "description": "Illness",
                    "limit_formatted": "£120.00",
                    "excess_description": "None",
                },
                {"description": "Travel", "limit_description": "Up to the ticket price"},
                {"description": "N/A", "limit_formatted": "£1.00"},
                "odd",
            ]
        )
    )

    assert [(b.description, b.limit, b.excess) for b in shown.benefits] == [
        ("Illness", "£120.00", "None"),
        ("Travel", "Up to the ticket price", ""),
    ]


def test_no_excess_is_a_statement_and_put_on_record() -> None:
    shown = presentation.present(
        quote(benefits=[{"description": "A", "excess_description": "None"}])
    )

    assert presentation.evidence(shown)["benefits"] == [
        {"description": "A", "limit": "", "excess": "None"}
    ]


@pytest.mark.parametrize("name", ["description", "limit_description"])
def test_a_none_that_is_no_excess_says_nothing(name: str) -> None:
    shown = presentation.present(quote(benefits=[{"description": "A"} | {name: "None"}]))

    assert "None" not in str(shown.benefits)


NOTATION = {
    "price": Decimal("3.40"),
    "price_formatted": "£3.40",
    "cover_amount": Decimal(1200),
    "cover_amount_formatted": "£1200.00",
    "benefits": [
        {
            "description": "Theft",
            "limit": Decimal(1200),
            "limit_formatted": "£1200.00",
            "limit_policy_currency": Decimal(2300),
            "limit_policy_currency_formatted": "A$2300.00",
            "excess": "5.5",
            "excess_formatted": "£5.50",
        },
    ],
}


def test_amounts_are_written_in_one_notation_and_kept_as_xcover_wrote_them() -> None:
    with translation.override("de"):
        shown = presentation.present(quote(**NOTATION))
        kept = presentation.evidence(shown)

    assert shown.price_formatted == "3,40\xa0£"
    assert shown.cover_amount_formatted == "1.200,00\xa0£"
    assert [(b.limit, b.excess) for b in shown.benefits] == [("1.200,00\xa0£", "5,50\xa0£")]
    assert (kept["price_formatted"], kept["cover_amount_formatted"]) == ("£3.40", "£1200.00")
    assert kept["benefits"] == [{"description": "Theft", "limit": "£1200.00", "excess": "£5.50"}]


def test_what_is_shown_in_another_language_is_the_same_offer() -> None:
    with translation.override("de"):
        german = presentation.offer_hash(presentation.present(quote(**NOTATION)))

    assert presentation.offer_hash(presentation.present(quote(**NOTATION))) == german


@pytest.mark.parametrize("odd", [None, "N/A", "NaN", [], {}])
def test_an_amount_that_is_no_number_is_shown_as_xcover_wrote_it(odd: Any) -> None:
    shown = presentation.present(quote(cover_amount=odd, cover_amount_formatted="up to £5"))

    assert shown.cover_amount_formatted == "up to £5"


def test_an_amount_that_xcover_does_not_name_is_not_named() -> None:
    shown = presentation.present(quote(cover_amount=Decimal(5), cover_amount_formatted="N/A"))

    assert shown.cover_amount_formatted == ""


def test_the_title_with_its_unfilled_gaps_is_never_shown() -> None:
    shown = presentation.present(quote(policy={"content": {"title": "Cover for  per ticket"}}))

    assert "per ticket" not in str(presentation.evidence(shown))


def test_the_same_offer_is_the_same_evidence_before_and_after_storing() -> None:
    fresh, stored = quote(), quote()
    stored.price = Decimal("3.4000")

    assert presentation.evidence(presentation.present(fresh)) == presentation.evidence(
        presentation.present(stored)
    )
