"""The offer as a fragment and as a page: what stands in it, and when there is none."""

from __future__ import annotations

import re
from typing import Any

import pytest

from django_xcover.models import Quote
from django_xcover.sandbox import Sandbox
from tests.checkout.conftest import Visitor, vendor_says
from tests.shop import Cart, laptop, ticket

pytestmark = pytest.mark.django_db

FRAGMENT, PAGE = "/xcover/offer/", "/xcover/offer/page/"
SCRIPT = "<script>alert(1)</script>"


@pytest.mark.parametrize("path", [FRAGMENT, PAGE])
@pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
def test_an_offer_is_only_ever_read(visitor: Visitor, path: str, method: str) -> None:
    assert getattr(visitor.client, method)(path).status_code == 405


@pytest.mark.parametrize("fault", ["hang", "reset", "garbage", "throttle"])
def test_a_vendor_at_fault_is_an_empty_answer(
    visitor: Visitor, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("create_quote", fault, times=None, seconds=0.05)

    response = visitor.client.get(FRAGMENT)

    assert response.status_code == 204
    assert response.content == b""


def test_an_empty_cart_is_an_empty_answer(visitor: Visitor) -> None:
    visitor.front.cart = None

    assert visitor.client.get(FRAGMENT).status_code == 204


def test_the_page_without_an_offer_lets_the_sale_go_on(visitor: Visitor, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_quote", "reset", times=None)

    page = visitor.opens(f"{PAGE}?next=/checkout/")

    assert "continue without it" in page.html
    assert page.all("form") == []
    assert page.all("a", href="/checkout/")


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:a()"])
def test_the_page_links_back_to_no_other_site(visitor: Visitor, address: str) -> None:
    html = visitor.opens(f"{PAGE}?next={address}").html

    assert "evil" not in html
    assert "javascript:" not in html


@pytest.mark.parametrize("path", [FRAGMENT, PAGE])
def test_an_offer_is_kept_by_no_cache_and_is_one_shoppers(visitor: Visitor, path: str) -> None:
    response = visitor.client.get(path)

    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    assert "Cookie" in response["Vary"]


def test_what_the_vendor_and_the_shop_write_cannot_become_markup(visitor: Visitor) -> None:
    visitor.is_offered()
    Quote.objects.update(label=f"Gig {SCRIPT}", policy_name=f'"><img src=x onerror=a()> {SCRIPT}')
    vendor_says(
        price_formatted=SCRIPT,
        cover_amount_formatted=SCRIPT,
        benefits=[{"description": SCRIPT, "limit_description": SCRIPT, "excess_formatted": SCRIPT}],
        policy={
            "content": {
                "description": SCRIPT,
                "disclaimer": f'<p onclick="a()">Arranged {SCRIPT}<img src=x onerror=a()></p>',
            },
            "underwriter": {"name": SCRIPT},
        },
    )

    page = visitor.opens(FRAGMENT)

    assert page.all("script") == []
    assert page.all("img") == []
    assert not any(name.startswith("on") for e in page.elements for name in e.attributes)
    assert page.one("legend").text.startswith(f"Protect your tickets to Gig {SCRIPT} for ")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "http://xcover.example/pds",
        "data:text/html,x",
        "//xcover.example",
        "https:",
        "",
        None,
        7,
    ],
)
def test_only_an_https_address_becomes_a_link_to_the_wording(
    visitor: Visitor, address: Any
) -> None:
    visitor.is_offered()
    vendor_says(pds_url=address)

    assert visitor.opens(FRAGMENT).all("a", class_="xcover-link") == []


@pytest.mark.parametrize("blank", ["N/A", "n/a", "", None])
def test_values_that_say_nothing_are_not_shown(visitor: Visitor, blank: Any) -> None:
    visitor.is_offered()
    vendor_says(
        cover_amount_formatted=blank,
        benefits=[
            {"description": blank},
            {"description": "Ticket price", "limit_formatted": blank},
        ],
        policy={
            "content": {"description": blank, "disclaimer": blank},
            "underwriter": {"name": blank},
        },
    )

    page = visitor.opens(FRAGMENT)

    assert "n/a" not in page.html.lower()
    assert "None" not in page.html
    assert "insured by" not in page.html
    assert [cell.text for cell in page.all("th")] == ["What is covered", "Ticket price"]


def test_nothing_is_ticked_for_the_shopper(visitor: Visitor) -> None:
    page = visitor.opens(FRAGMENT)

    radios = page.all("input", type="radio")
    assert [radio["value"] for radio in radios] == ["yes", "no"]
    assert page.ticked == []
    assert not any("required" in radio or "disabled" in radio for radio in radios)


def test_yes_and_no_weigh_the_same(visitor: Visitor) -> None:
    page = visitor.opens(FRAGMENT)

    yes, no = page.all("label")
    assert yes["class"] == no["class"]
    assert len(page.all("button")) == 1
    assert no.text == "No, continue without cover"


def test_the_price_is_read_out_with_the_yes_and_the_wording_is_not(visitor: Visitor) -> None:
    price = visitor.is_offered().quotes[0].price_formatted

    page = visitor.opens(FRAGMENT)

    yes = page.all("label")[0]
    assert yes.text == f"Yes, add cover for {price}"
    assert all(e.tag != "label" for link in page.all("a") for e in link.inside)


def test_the_question_names_what_is_insured_by_whom_and_that_it_is_optional(
    visitor: Visitor,
) -> None:
    quote = visitor.is_offered().quotes[0]

    page = visitor.opens(FRAGMENT)

    question = f"Protect your tickets to Harbour Lights Festival for {quote.price_formatted}"
    assert page.one("legend").text == question
    about = page.one("p", class_="xcover-about")
    assert about.text == f"Optional. {quote.name}, insured by {quote.insurer}."
    assert about["id"] in page.one("fieldset")["aria-describedby"].split()


def test_the_wording_opens_in_a_new_tab_that_knows_nothing_of_the_checkout(
    visitor: Visitor,
) -> None:
    quote = visitor.is_offered().quotes[0]

    page = visitor.opens(FRAGMENT)
    link = page.one("a", class_="xcover-link")

    assert link["href"] == quote.pds_url
    assert link["target"] == "_blank"
    assert link["rel"] == "noopener noreferrer"
    assert page.one("span", id=link["aria-describedby"]).text == "(opens in a new tab)"


def test_benefits_are_shown_with_their_limits_and_excesses(visitor: Visitor) -> None:
    visitor.is_offered()
    vendor_says(
        benefits=[
            {"description": "Ticket price", "limit_formatted": "£120.00"},
            {"description": "Travel", "limit_description": "One trip", "excess_formatted": "£5.00"},
        ]
    )

    page = visitor.opens(FRAGMENT)

    headings = ["What is covered", "Limit", "Excess", "Ticket price", "Travel"]
    assert [cell.text for cell in page.all("th")] == headings
    assert [cell.text for cell in page.all("td")] == ["£120.00", "", "One trip", "£5.00"]


def test_the_card_lists_three_benefits_and_has_the_rest_one_click_away(visitor: Visitor) -> None:
    visitor.is_offered()
    benefits = [{"description": f"Benefit {number}"} for number in range(5)]
    vendor_says(
        benefits=benefits,
        policy={"content": {"description": "Long story.", "disclaimer": "<p>Small print.</p>"}},
    )

    page = visitor.opens(FRAGMENT)

    details = page.one("details")
    inside = [element.text for element in page.elements if details in element.inside]
    assert [item.text for item in page.all("li")] == ["Benefit 0", "Benefit 1", "Benefit 2"]
    assert "open" not in details
    for text in ("Benefit 4", "Long story.", "Small print."):
        assert any(text in part for part in inside)
    # Price, answers and wording need no click.
    assert not any("Yes, add cover" in part for part in inside)
    assert all(details not in link.inside for link in page.all("a"))


def test_a_quote_that_says_nothing_more_has_no_details(visitor: Visitor) -> None:
    visitor.is_offered()
    Quote.objects.update(policy_end_date=None)
    vendor_says(benefits=[], cover_amount_formatted="", policy={"content": {}})

    page = visitor.opens(FRAGMENT)

    assert page.all("details") == []


def test_each_line_of_the_cart_is_asked_about_on_its_own(visitor: Visitor) -> None:
    visitor.front.cart = Cart(items=(laptop(), ticket()))

    page = visitor.opens(FRAGMENT)

    # The laptop's cover can be paid in parts, which is a question of its own.
    questions = [legend.text for legend in page.all("legend") if "Protect" in legend.text]
    assert [question.partition(" for ")[0] for question in questions] == [
        "Protect these 2 items",
        "Protect Aero 14",
        "Protect your tickets to Harbour Lights Festival",
    ]
    assert len(page.all("form")) == 3
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))


def test_an_answer_given_earlier_is_shown_and_said_to_be_saved(visitor: Visitor) -> None:
    visitor.shopper.says(yes=False)

    page = visitor.opens(FRAGMENT)

    assert page.ticked == ["no"]
    assert page.one("p", role="status").text == "Saved: no cover is added to your order."
    assert page.one("div", class_="xcover-offer")["data-answered"] == "true"


@pytest.mark.parametrize("path", [FRAGMENT, PAGE, "/checkout/"])
def test_nothing_is_inline_that_a_strict_csp_would_block(visitor: Visitor, path: str) -> None:
    visitor.is_offered()

    page = visitor.opens(path)

    assert page.all("style") == []
    assert all("src" in script for script in page.all("script"))
    assert all(script.text == "" for script in page.all("script"))
    assert not any("style" in element for element in page.elements)
    assert not re.search(r"\son[a-z]+=", page.html)


def test_the_documents_of_a_quote_are_linked_and_none_with_an_address_of_its_own(
    visitor: Visitor,
) -> None:
    visitor.is_offered()
    vendor_says(
        files=[
            {"name": "Product information", "url": "https://xcover.example/ipid.pdf?sig=1"},
            {"name": "Evil", "url": "javascript:alert(1)"},
        ],
        attachments=[{"url": "https://xcover.example/terms.pdf"}, "no object"],
    )

    links = {link["href"]: link.text for link in visitor.opens(FRAGMENT).all("a")}

    assert links["https://xcover.example/ipid.pdf?sig=1"].startswith("Product information")
    assert links["https://xcover.example/terms.pdf"].startswith("Document")
    assert not any(address.startswith("javascript:") for address in links)


def test_a_file_that_is_only_signed_anew_is_the_same_offer(visitor: Visitor) -> None:
    visitor.is_offered()
    hashes = []
    for signature in ("1", "2"):
        vendor_says(files=[{"name": "IPID", "url": f"https://xcover.example/a.pdf?s={signature}"}])
        hashes.append(visitor.opens(FRAGMENT).one("input", name="shown")["value"])

    assert hashes[0] == hashes[1]
