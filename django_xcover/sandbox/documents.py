"""The pages of `pds_url`, `coi`, `account_url`, claims and cancellation on the sandbox's site."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from django_xcover.sandbox import money, transitions
from django_xcover.sandbox.context import World
from django_xcover.sandbox.http.pages import document_language, label, page
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.products import PRODUCTS
from django_xcover.sandbox.serializers import package as quote_shape


def pdf(title: str, lines: list[str]) -> bytes:
    """Return a one-page A4 PDF; characters outside Windows-1252 become question marks."""
    shown = [b"BT /F1 18 Tf 60 770 Td (%s) Tj" % _escaped(title), b"/F1 10 Tf 16 TL 0 -14 Td"]
    shown += [b"T* (%s) Tj" % _escaped(line) for line in lines]
    content = b"\n".join([*shown, b"ET"])
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    return _file(objects)


def _escaped(text: str) -> bytes:
    raw = text.encode("cp1252", errors="replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: list[bytes]) -> bytes:
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return (
        data
        + head
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (
            size,
            len(data),
        )
    )


MAP = Map(
    [
        Rule("/", endpoint="home"),
        Rule("/<language>/pds/<package>", endpoint="wording"),
        Rule("/<language>/coi/<package>.pdf", endpoint="certificate_pdf"),
        Rule("/<language>/coi/<package>", endpoint="certificate"),
        Rule("/<language>/account", endpoint="account"),
        Rule("/<language>/account/claims/fnol", endpoint="claim"),
        Rule("/<language>/cancel/<package>", endpoint="cancel"),
    ]
)
Facts = list[tuple[str, str]]
CLAIM = "The local XCover: a claim would be made here. It decides on none, and nothing is sent."
CANCEL = (
    "The local XCover: a customer would cancel here, without the shop. Nothing is cancelled from "
    "this page."
)


@dataclass(frozen=True)
class Documents:
    """The policy wording, which is public, and certificates, which require the token."""

    world: World

    def answer(self, request: Request) -> Response:
        """Return a page or a 404. A wrong token is a 404 too, so that ids cannot be probed."""
        try:
            name, values = MAP.bind_to_environ(request.environ).match()
            response: Response = getattr(self, f"_{name}")(request, **values)
        except HTTPException as refused:
            response = _html("Page not booking", Markup("<p>There is nothing at this address.</p>"))
            response.status_code = refused.code or 404
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _home(self, request: Request) -> Response:
        text = Markup("<p>A local stand-in for XCover. Nothing sold here insures anybody.</p>")
        return _html("XCover sandbox", text)

    def _wording(self, request: Request, language: str, package: str) -> Response:
        booking = self._package(package)
        slug = request.args.get("policy_type")
        quotes = [quote for quote in booking.in_order if quote.priced]
        if slug is not None:
            quotes = [q for q in quotes if slug == f"{q.policy_type}_v{q.policy_type_version}"]
        if not quotes:
            raise NotFound
        products = {quote.policy_type: quote for quote in quotes}
        body = Markup().join(self._section(booking, quote) for quote in products.values())
        return _html("Policy wording", body, document_language(booking.language))

    def _section(self, package: Package, quote: Quote) -> Markup:
        product = PRODUCTS[quote.policy_type]
        texts = product.in_language(package.language)
        language = document_language(package.language)
        heads = [label(head, language) for head in ("Benefit", "Limit", "Excess")]
        # On a phone the cells of a row are stacked, and each shows its heading.
        row = Markup(
            "<tr><th scope=row>{2}</th><td data-is='{0}'>{3}</td><td data-is='{1}'>{4}</td>"
        )
        benefits = Markup().join(
            row.format(*heads[1:], *cells) for cells in self._benefits(package, quote)
        )
        chapters = Markup().join(
            Markup("<h3>{}</h3><p>{}</p>").format(*chapter) for chapter in texts.wording
        )
        return Markup(
            "<section><h2>{}</h2><p>{}</p>"
            "<div class=wide><table><thead><tr><th>{}</th><th>{}</th><th>{}</th></tr>"
            "</thead><tbody>{}</tbody></table></div>{}</section>"
        ).format(product.name, texts.description, *heads, benefits, chapters)

    def _benefits(self, package: Package, quote: Quote) -> list[tuple[str, str, str]]:
        if quote.priced is None:
            return []
        shown = quote_shape.common(self.world.site_url, package, quote, quote.priced)
        return [
            (row["description"], _either(row, "limit"), _either(row, "excess"))
            for row in shown["benefits"]
        ]

    def _certificate(self, request: Request, language: str, package: str) -> Response:
        booking = self._with_token(request, package)
        language = document_language(booking.language)
        groups = [
            _booking_facts(booking),
            *(_policy_facts(booking, quote) for quote in booking.booked),
        ]
        body = Markup().join(_table(_translated(facts, language)) for facts in groups)
        return _html("Certificate of insurance", body, language)

    def _certificate_pdf(self, request: Request, language: str, package: str) -> Response:
        booking = self._with_token(request, package)
        language = document_language(booking.language)
        facts = _booking_facts(booking)
        for quote in booking.booked:
            facts += [("", ""), *_policy_facts(booking, quote)]
        lines = [f"{name}: {value}" if name else "" for name, value in _translated(facts, language)]
        title = label("Certificate of insurance", language)
        return Response(pdf(title, lines), content_type="application/pdf")

    def _account(self, request: Request, language: str) -> Response:
        token = request.args.get("signup_token", "")
        known = (package.signup_token for package in self.world.store.packages())
        if not any(hmac.compare_digest(one.encode(), token.encode()) for one in known):
            raise NotFound
        text = Markup("<p>Here customers look after their policies: change, cancel or claim.</p>")
        return _html("Your account", text)

    def _claim(self, request: Request, language: str) -> Response:
        # The documented link has no token, so the page only shows the id in the request.
        booking = self._package(request.args.get("bookingID", ""))
        if not booking.booked:
            raise NotFound
        return _errand("Make a claim", CLAIM, booking)

    def _cancel(self, request: Request, language: str, package: str) -> Response:
        return _errand("Cancel your cover", CANCEL, self._with_token(request, package))

    def _package(self, package_id: str) -> Package:
        booking = self.world.store.find_package(package_id)
        if booking is None:
            raise NotFound
        return booking

    def _with_token(self, request: Request, package_id: str) -> Package:
        booking = self._package(package_id)
        token = request.args.get("security_token", "")
        if not booking.booked or not hmac.compare_digest(
            booking.security_token.encode(), token.encode()
        ):
            raise NotFound
        return booking


def _errand(title: str, text: str, package: Package) -> Response:
    """Return a page for an action that customers take on XCover's own site."""
    language = document_language(package.language)
    facts = _table(_translated([("Booking", package.id)], language))
    body = Markup("<p>{}</p>").format(label(text, language)) + facts
    return _html(title, body, language)


def _either(row: dict[str, Any], name: str) -> str:
    value = row.get(f"{name}_formatted") or row.get(f"{name}_description") or "-"
    return str(value)


def _booking_facts(package: Package) -> Facts:
    holder = package.policyholder or {}
    paid = sum(
        (q.price for q in package.booked if q.status not in transitions.OVER), start=money.ZERO
    )
    return [
        ("Certificate number", package.id),
        ("Status", _status(package.status)),
        ("Policyholder", f"{holder.get('first_name', '')} {holder.get('last_name', '')}".strip()),
        ("Total price", money.formatted(paid, package.currency)),
    ]


def _status(status: str) -> str:
    texts = {
        transitions.CONFIRMED: "Confirmed",
        transitions.PENDING_PAYMENT: "Not in force: payment is awaited",
        transitions.CANCELLED: "Cancelled: no cover",
        transitions.RENEWED: "Renewed: a later period follows",
    }
    return texts[status]


def _policy_facts(package: Package, quote: Quote) -> Facts:
    product, priced = PRODUCTS[quote.policy_type], quote.priced
    if priced is None:
        return []
    # ISO dates: the same in every language.
    end = f"{priced.policy_end:%Y-%m-%d %H:%M}" if priced.policy_end else ""
    period = f"{priced.policy_start:%Y-%m-%d %H:%M} / {end} UTC"
    return [
        ("Policy", product.name),
        ("Insured", str(quote.fields[product.name_field])),
        ("Status", _status(quote.status)),
        ("Period", period),
        ("Cover amount", money.formatted(priced.cover_amount, package.currency)),
        ("Price", money.formatted(quote.price, package.currency)),
        ("Underwriter", quote_shape.UNDERWRITER["name"]),
    ]


def _translated(facts: Facts, language: str) -> Facts:
    """Return the facts with their names, and values that are our own texts, translated."""
    return [(label(name, language), label(value, language)) for name, value in facts]


def _table(facts: Facts) -> Markup:
    rows = Markup().join(Markup("<dt>{}</dt><dd>{}</dd>").format(*fact) for fact in facts)
    return Markup("<dl>{}</dl>").format(rows)


def _html(title: str, body: Markup, language: str = "en") -> Response:
    shown = page(label(title, language), body, language)
    return Response(shown, content_type="text/html; charset=utf-8")
