"""People who buy: what each wants comes from the seed and their number."""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass, field
from decimal import Decimal

from example_shop.demo.products import DEVICES, EVENTS
from example_shop.models import Order
from tests.chaos.browser import Browser, CheckoutFailed, Record
from tests.chaos.outages import Outages
from tests.chaos.wishes import AfterSale, Wish, wish_of

SLUGS = tuple(str(row["slug"]) for row in (*EVENTS, *DEVICES))
RENEWABLE = frozenset(str(row["slug"]) for row in DEVICES)
POSTCODES = {"GB": "SW1A 1AA", "DE": "10115", "JP": "100-0001"}
CARD = {"name": "Ana Lima", "number": "4242424242424242", "expiry": "12/39", "code": "123"}
FIELD = re.compile(r'name="(cart|seen|xcover_total)" value="([^"]*)"')
QUOTE = re.compile(
    r'name="quote" value="([^"]+)">\s*<input type="hidden" name="shown" value="([^"]*)"'
)
ORDER = re.compile(r"/orders/([^/]+)/")
WALLET = re.compile(r"(/wallet/[^/]+/)$")
TOTAL = re.compile(r'name="xcover_total" value="([\d.]+) [A-Z]+"[^>]* data-xcover-base="([\d.]+)"')
ANSWERS = ("yes", "yes", "yes", "no", "")
# So many leave their order unpaid; of half of those the shop hears, and cancels it.
NEVER_PAYS = 0.2
# So many change their cart in another tab, before they order or while they are at the wallet.
MEDDLES = 0.3


@dataclass
class Purchase:
    """What a shopper knows afterwards. `premium` is the last that was shown, None for no cover."""

    number: int
    order_number: str = ""
    offered: bool = False
    premium: Decimal | None = None
    paid: bool = False
    clicks_twice: bool = False
    pays_first: bool = False
    never_pays: bool = False
    shop_cancels: bool = False
    record: Record = field(default_factory=Record)
    later: AfterSale = field(default_factory=AfterSale)
    browser: Browser | None = None

    @property
    def is_abandoned(self) -> bool:
        """Return whether the shopper stayed at the wallet, which leaves no order."""
        return self.pays_first and self.never_pays

    def will(self, *wishes: Wish) -> bool:
        """Return whether the shopper has cover and comes back with one of these wishes."""
        return self.paid and self.premium is not None and self.later.wish in wishes


def buy(shop_url: str, outages: Outages, seed: int, number: int) -> Purchase:
    """Buy something, from the product's page to the payment, and return what came of it."""
    purchase = Purchase(number)
    browser = purchase.browser = Browser(shop_url, outages, purchase.record)
    try:
        Shopper(browser, random.Random(f"{seed}-{number}"), purchase).buy()
    except CheckoutFailed as failure:
        purchase.record.failures.append(f"gave up at {failure}")
    finally:
        browser.rest()
    return purchase


# XCover is being asked: look again. The total is another than the page showed.
ASKED, CHANGED = 202, 409


class Shopper:
    """One shopper with wishes of their own."""

    def __init__(self, browser: Browser, chance: random.Random, purchase: Purchase) -> None:
        self._browser = browser
        self._purchase = purchase
        self._said_yes_to: set[Decimal] = set()
        self._country = chance.choice(tuple(POSTCODES))
        self._slugs = chance.sample(SLUGS, chance.choice((1, 1, 2)))
        self._quantity = str(chance.randint(1, 3))
        self._answer = chance.choice(ANSWERS)
        self._payment = chance.choice(("card", "card", "wallet", "invoice"))
        self._clicks_twice = purchase.clicks_twice = chance.random() < 0.15
        self._meddles = chance.random() < MEDDLES
        purchase.later.wish = wish_of(chance, has_device=not RENEWABLE.isdisjoint(self._slugs))
        purchase.pays_first = self._payment == Order.Payment.WALLET
        purchase.never_pays = chance.random() < NEVER_PAYS
        purchase.shop_cancels = (
            purchase.never_pays and not purchase.pays_first and chance.random() < 0.5
        )

    def buy(self) -> None:
        """Fill the cart, answer the offer, order and pay."""
        self._fill_cart()
        page = self._check_out()
        if self._purchase.pays_first:
            self._pay_first(page)
            return
        if self._meddles:
            # In another tab, while this one still shows the old total: it is not ordered.
            self._change_quantity()
            self._browser.post("/checkout/", self._form(page), 409)
            page = self._check_out()
        self._order(page)
        if not self._purchase.never_pays:
            self._pay()

    def _check_out(self) -> dict[str, str]:
        """Answer the offer; return the hidden fields of the checkout's form."""
        page = self._browser.get("/checkout/").text
        self._answer_offer()
        # As the page's own script does after an answer.
        summary = self._browser.get("/checkout/summary/").text
        if self._purchase.premium is None:
            self._purchase.premium = self._standing_premium(summary)
        return dict(FIELD.findall(page + summary))

    def _standing_premium(self, summary: str) -> Decimal | None:
        """Return the premium in the total, if it is of one line to which the answer was yes.

        The yes to a line that did not change stands, also while no offer can be shown for the
        changed one. The order is placed from this total: the shop rejects another.
        """
        (total, base) = TOTAL.findall(summary)[0]
        premium = Decimal(total) - Decimal(base)
        return premium if premium and premium in self._said_yes_to else None

    def _change_quantity(self) -> None:
        other = {"quantity": "4"}
        self._browser.post(f"/cart/{self._slugs[0]}/", other, 302)

    def _fill_cart(self) -> None:
        for slug in self._slugs:
            self._browser.get(f"/products/{slug}/")
            self._browser.post(f"/cart/{slug}/add/", {"quantity": self._quantity}, 302)
        self._browser.post("/preferences/", {"country": self._country}, 302)

    def _answer_offer(self) -> None:
        """Look at the offer, if there is one, and answer each of its quotes, or none."""
        offer = self._browser.get("/xcover/offer/", 200, 202, 204)
        while offer.status_code == ASKED:
            time.sleep(0.3)
            offer = self._browser.get(offer.headers["Location"], 200, 202, 204)
        quotes = QUOTE.findall(offer.text)
        self._purchase.offered = bool(quotes)
        # What stands of a yes for an earlier cart is in the total, if there is no offer.
        self._purchase.premium = None
        for quote, shown in quotes if self._answer else ():
            fields = {"quote": quote, "shown": shown, "choice": self._answer}
            answer = self._browser.post("/xcover/choose/", fields, 200).json()
            premium = Decimal(answer["premium"])
            if self._answer == "yes":
                self._said_yes_to.add(premium - (self._purchase.premium or 0))
            self._purchase.premium = premium if self._answer == "yes" else None

    def _order(self, page: dict[str, str]) -> None:
        for _ in range(2 if self._clicks_twice else 1):
            self._purchase.order_number = self._send(page, ORDER)

    def _pay_first(self, page: dict[str, str]) -> None:
        """Leave for the wallet; who never pays stays away, so that the hold expires.

        Some of the others change their cart in another tab before they pay: what is charged and
        booked is what was held.
        """
        payment = self._send(page, WALLET)
        if self._purchase.never_pays:
            return
        if self._meddles:
            self._change_quantity()
            self._browser.get("/xcover/offer/", 200, 202, 204)
        for _ in range(2 if self._clicks_twice else 1):
            answer = self._browser.post(f"{payment}approve/", {}, 302)
            self._purchase.order_number = _leads_to(answer.headers["Location"], ORDER)
        self._purchase.paid = True

    def _send(self, page: dict[str, str], expected: re.Pattern[str]) -> str:
        """Send the checkout form; return what the address names that it leads to."""
        answer = self._browser.post("/checkout/", self._form(page), 302, 409)
        if answer.status_code == CHANGED:
            # A late answer of XCover moved the total after the page was shown: the shopper sees
            # the page again and orders at the new total. Who gets this twice cannot go on.
            page.update(self._check_out())
            answer = self._browser.post("/checkout/", self._form(page), 302)
        return _leads_to(answer.headers["Location"], expected)

    def _form(self, page: dict[str, str]) -> dict[str, str]:
        return {
            **page,
            "first_name": "Ana", "last_name": "Lima", "email": "ana@example.com", "phone": "",
            "address": "1 Long Street", "postcode": POSTCODES[self._country], "city": "Anytown",
            "payment": self._payment,
        }  # fmt: skip

    def _pay(self) -> None:
        order = f"/orders/{self._purchase.order_number}"
        how = "pay" if self._payment == Order.Payment.CARD else "transfer"
        for _ in range(2 if self._clicks_twice else 1):
            self._browser.post(f"{order}/{how}/", CARD, 302)
        self._purchase.paid = True


def _leads_to(address: str, expected: re.Pattern[str]) -> str:
    found = expected.match(address)
    if found is None:
        raise CheckoutFailed(f"/checkout/: leads to {address}")
    return found[1]
