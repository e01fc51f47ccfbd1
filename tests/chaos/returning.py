"""People who come back to their cover, on the shop's own pages: they cancel, change or renew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from tests.chaos.browser import Browser, CheckoutFailed
from tests.chaos.shoppers import CARD, Purchase
from tests.chaos.wishes import AfterSale, Wish

MY_COVER = "/xcover/mycover/"
POLICY = re.compile(rf'href="({MY_COVER}policies/[^/"]+/)"')
CANCEL = re.compile(r'action="([^"]+/cancel/)"')
POLICIES = re.compile(r'name="policies" value="([^"]+)"')
VALUE = re.compile(r'href="([^"]+/value/)"')
AMOUNT = re.compile(r'name="amount" value="([\d.,]+)"')
RENEWAL = re.compile(r'href="([^"]+/renewals/\d+/)"')
PRICE = re.compile(r'action="([^"]+/price/)"')
PAY = re.compile(r'href="(/cover/pay/[^"]+)"')
REFUND = re.compile(r"<dt>Refund</dt><dd>([^<]+)</dd>")
DIFFERENCE = re.compile(r"<dt>You pay</dt><dd>([^<]+)</dd>")
PREMIUM = re.compile(r"<dt>Price of the new period</dt><dd>([^<]+)</dd>")
CANCELLING = re.compile(r"Your cover is (being )?cancelled</h1>")
CHANGING = re.compile(r"Your policy (is being|has been) changed</h1>")
RENEWING = re.compile(r"We have your payment, and|Your cover continues\.")
# A person is at it, or it came to nothing: there is nothing to come back for.
HOPELESS = re.compile(r"We're looking into it|This cover wasn't booked")
# XCover cannot be reached, or did not want it: the page says so, and one tries again.
TRY_AGAIN = (503, 409)
RISE = Decimal("1.2")


def come_back(purchase: Purchase) -> bool:
    """Look at one's cover and do what one came for; False when it cannot be done yet."""
    browser, later = purchase.browser, purchase.later
    if browser is None:
        return True
    browser.record = later.record
    try:
        clicks = 2 if purchase.clicks_twice else 1
        visit = Visit(browser, later, clicks=clicks, one_only=purchase.number % 3 == 0)
        return visit.make() or visit.is_hopeless
    except CheckoutFailed as failure:
        later.record.failures.append(f"gave up at {failure}")
        return True
    finally:
        browser.rest()


class Visit:
    """One visit to "My cover"."""

    def __init__(self, browser: Browser, later: AfterSale, *, clicks: int, one_only: bool) -> None:
        self._browser = browser
        self._later = later
        self._clicks = clicks
        self._one_only = one_only
        self.is_hopeless = False

    def make(self) -> bool:
        """Do what is wished; True when it is done."""
        match self._later.wish:
            case Wish.CANCEL:
                return self._cancel()
            case Wish.CHANGE:
                return self._change()
            case Wish.RENEW:
                return self._renew()
        return True

    def _cancel(self) -> bool:
        """Look at the refund, then confirm it: all of the order, or the policy of the page."""
        page, form = self._find(CANCEL)
        wanted = POLICIES.findall(page)[: 1 if self._one_only else None]
        preview = self._ask(form, {"policies": wanted}) if form else ""
        if not preview:
            return False
        refund = REFUND.search(self._page(preview))
        if refund is None:
            return False
        self._later.policies, self._later.amount = tuple(wanted), money(refund[1])
        self._later.asked = True
        for _ in range(self._clicks):
            self._browser.post(f"{preview}confirm/", {}, 303, *TRY_AGAIN)
        return self._is_said(CANCELLING, preview)

    def _change(self) -> bool:
        """Have the thing insured for more, and pay the difference."""
        _page, form = self._find(VALUE)
        amount = AMOUNT.search(self._page(form, *TRY_AGAIN)) if form else None
        if amount is None:
            return False
        change = self._ask(form, {"amount": dearer(amount[1])})
        return bool(change) and self._pay(change, self._page(change), DIFFERENCE, CHANGING)

    def _renew(self) -> bool:
        """Look at the price of the next period, asking for it if need be, and pay it."""
        _page, renewal = self._find(RENEWAL)
        if not renewal:
            return False
        page = self._page(renewal)
        price = PRICE.search(page)
        if price is not None:
            self._ask(price[1], {})
            page = self._page(renewal)
        return self._pay(renewal, page, PREMIUM, RENEWING)

    def _pay(self, place: str, page: str, price: re.Pattern[str], taken: re.Pattern[str]) -> bool:
        """Pay what the page asks for, unless it was paid on an earlier visit."""
        link, shown = PAY.search(page), price.search(page)
        if link is None or shown is None:
            self._later.done = self._later.asked and bool(taken.search(page))
            return self._later.done
        self._later.amount, self._later.asked = money(shown[1]), True
        for _ in range(self._clicks):
            self._browser.post(link[1], CARD, 302)
        return self._is_said(taken, place)

    def _is_said(self, words: re.Pattern[str], place: str) -> bool:
        self._later.done = bool(words.search(self._page(place)))
        return self._later.done

    def _find(self, wanted: re.Pattern[str]) -> tuple[str, str]:
        """Return the first policy's page that has such a link or form, and where that leads."""
        self.is_hopeless = False
        for page in self._policies():
            found = wanted.search(page)
            if found is not None:
                self.is_hopeless = False
                return page, found[1]
            self.is_hopeless |= bool(HOPELESS.search(page))
        return "", ""

    def _policies(self) -> Iterator[str]:
        for address in dict.fromkeys(POLICY.findall(self._page(MY_COVER))):
            yield self._page(address)

    def _page(self, path: str, *also: int) -> str:
        return self._browser.get(path, 200, *also).text

    def _ask(self, path: str, fields: dict[str, str | list[str]]) -> str:
        """Send a form that asks XCover; return where it leads, "" when XCover was of no help."""
        answer = self._browser.post(path, fields, 303, *TRY_AGAIN)
        return answer.headers.get("Location", "")


def money(shown: str) -> Decimal:
    """Return the amount in `£1,234.50`."""
    return Decimal(re.sub(r"[^\d.]", "", shown))


def dearer(shown: str) -> str:
    """Return a higher amount with as many digits after the point."""
    amount = money(shown)
    return str((amount * RISE).quantize(amount))
