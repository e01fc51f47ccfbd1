"""The pages shoppers reach from an offer and from a booking."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.server import serve
from tests.sandbox.support import LAPTOP, PERSON, TICKET, Caller, a_booking


@dataclass
class Site:
    """A booking made over HTTP, and a browser."""

    session: requests.Session
    caller: Caller
    booking: dict[str, Any]

    def get(self, url: str) -> requests.Response:
        """Open an address."""
        return self.session.get(url, timeout=5)

    def at(self, path: str, package: dict[str, Any]) -> str:
        """Return an address of the site about a package, as the documented links are built."""
        return f"{self.caller.base_url.removesuffix('/x')}/en/{path.format(**package)}"


@pytest.fixture
def site(sandbox: Sandbox) -> Iterator[Site]:
    """Return the sandbox's site with one booking."""
    with serve(sandbox) as url, requests.Session() as session:
        caller = Caller(session, f"{url}/x")
        yield Site(session, caller, caller.booked(TICKET, LAPTOP))


def test_a_certificate_needs_the_right_token(site: Site) -> None:
    url = site.booking["coi"]["url"]
    wrong = re.sub(r"security_token=.*", "security_token=AAAAA-AAAAA-AAAAA-AAAAA", url)
    other = site.caller.booked()
    theirs = url.replace(site.booking["id"], other["id"])

    for address in (wrong, url.partition("?")[0], theirs):
        assert site.get(address).status_code == 404
        assert site.get(address.replace("-INS", "-INS.pdf")).status_code == 404


def test_a_quote_that_is_not_booked_has_no_certificate(site: Site) -> None:
    package = site.caller.quoted()
    base = site.booking["coi"]["url"].partition("?")[0].replace(site.booking["id"], package["id"])

    assert site.get(f"{base}?security_token={package['security_token']}").status_code == 404


def test_an_unknown_package_has_no_wording(site: Site) -> None:
    url = site.booking["pds_url"].replace(site.booking["id"], "ABCDE-FGHJK-INS")

    assert site.get(url).status_code == 404


def test_the_certificate_says_what_is_insured_and_for_how_much(site: Site) -> None:
    page = site.get(site.booking["coi"]["url"])

    assert page.status_code == 200
    for expected in (
        site.booking["id"],
        site.booking["total_price_formatted"],
        "Ana Rossi",
        "Harbour Lights Festival",
        "Laptop 14",
        "Confirmed",
    ):
        assert expected in page.text


def test_a_certificate_without_payment_says_that_there_is_no_cover(site: Site) -> None:
    booking = site.caller.booked(require_payment_confirmation=True)

    assert "payment is awaited" in site.get(booking["coi"]["url"]).text


def test_the_certificate_comes_as_a_pdf_whose_table_is_right(site: Site) -> None:
    answer = site.get(site.booking["coi"]["pdf"])

    content = answer.content
    start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    places = [int(line[:10]) for line in content[start:].splitlines()[3:8]]
    assert answer.headers["Content-Type"] == "application/pdf"
    assert content[start:].startswith(b"xref")
    assert [content[place:].split()[0] for place in places] == [b"1", b"2", b"3", b"4", b"5"]


def test_the_wording_of_a_quote_is_that_products_only(site: Site) -> None:
    package = site.caller.quoted(TICKET, LAPTOP)

    everything = site.get(package["pds_url"]).text
    laptop = site.get(package["quotes"]["1"]["pds_url"]).text

    assert "Missed Event Cover" in everything
    assert "Missed Event Cover" not in laptop
    assert "Product Protection" in laptop


def test_names_are_escaped_on_pages(site: Site) -> None:
    person = {**PERSON, "first_name": "<script>alert(1)</script>"}
    package = site.caller.quoted()
    body = a_booking(package, policyholder=person)
    booking = site.caller.call("POST", f"bookings/{package['id']}/", body).json()

    page = site.get(booking["coi"]["url"]).text

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_account_page_needs_its_token(site: Site) -> None:
    url = site.booking["account_url"]

    assert site.get(url).status_code == 200
    assert site.get(url.partition("&")[0]).status_code == 404


@dataclass
class CustomerPage:
    """A page at XCover that the links to a booking lead to, by its address and its words."""

    path: str
    words: str
    needs_token: bool


CLAIM = CustomerPage("account/claims/fnol?bookingID={id}", "a claim would be made here", False)
CANCEL = CustomerPage(
    "cancel/{id}?security_token={security_token}", "a customer would cancel here", True
)


@pytest.mark.parametrize("wanted", [CLAIM, CANCEL], ids=["claim", "cancel"])
def test_a_customers_page_of_no_booking_is_not_found(site: Site, wanted: CustomerPage) -> None:
    quoted = site.caller.quoted()
    unknown = {**site.booking, "id": "ABCDE-FGHJK-INS"}

    for package in (quoted, unknown):
        assert site.get(site.at(wanted.path, package)).status_code == 404
    assert site.get(site.at(wanted.path.partition("{")[0], quoted)).status_code == 404


def test_the_cancellation_page_needs_the_bookings_token(site: Site) -> None:
    wrong = {**site.booking, "security_token": "AAAAA-AAAAA-AAAAA-AAAAA"}

    assert site.get(site.at(CANCEL.path, wrong)).status_code == 404


@pytest.mark.parametrize("wanted", [CLAIM, CANCEL], ids=["claim", "cancel"])
def test_a_customers_page_says_what_would_be_done_there_and_for_which_booking(
    site: Site, wanted: CustomerPage
) -> None:
    page = site.get(site.at(wanted.path, site.booking))

    assert page.status_code == 200
    assert wanted.words in page.text
    assert site.booking["id"] in page.text
    assert "Ana Rossi" not in page.text


@pytest.mark.parametrize("wanted", [CLAIM, CANCEL], ids=["claim", "cancel"])
def test_a_german_customer_reads_a_german_page(site: Site, wanted: CustomerPage) -> None:
    package = site.caller.quoted(TICKET, customer_language="de")
    booking = site.caller.call("POST", f"bookings/{package['id']}/", a_booking(package)).json()

    page = site.get(site.at(wanted.path, booking))

    assert '<html lang="de">' in page.text
    assert "Das lokale XCover" in page.text


def test_in_process_links_point_to_the_configured_site() -> None:
    sandbox = Sandbox(site_url="https://documents.example/")

    assert sandbox.site_url == "https://documents.example"
    sandbox.close()


def test_a_german_customer_reads_german_documents(site: Site) -> None:
    package = site.caller.quoted(TICKET, customer_language="de")
    booking = site.caller.call("POST", f"bookings/{package['id']}/", a_booking(package)).json()

    wording, certificate = site.get(package["pds_url"]), site.get(booking["coi"]["url"])

    assert '<html lang="de">' in wording.text
    assert "Was nicht versichert ist" in wording.text
    assert "Selbstbeteiligung" in wording.text
    assert "Bestätigt" in certificate.text


def test_a_language_the_products_do_not_speak_is_not_claimed(site: Site) -> None:
    package = site.caller.quoted(TICKET, customer_language="fr")

    assert '<html lang="en">' in site.get(package["pds_url"]).text
