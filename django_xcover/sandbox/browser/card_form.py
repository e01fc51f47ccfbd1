"""The card form of the local XPay, which a shop embeds as an iframe.

Inferred: XPay's documents have no such form, only the call that makes a token. Other payment
services have one, so that neither the shop's page nor its server gets the card.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from django_xcover.sandbox import store
from django_xcover.sandbox.http.errors import ApiError, method_not_allowed
from django_xcover.sandbox.http.pages import document_language, label
from django_xcover.sandbox.xpay import XPay

FOLDER = Path(__file__).parent
# Nothing but the page's own files, whatever is typed into it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'"
)
FIELDS = (
    ("holderName", "Name on card", "cc-name", "text", "wide"),
    ("number", "Card number", "cc-number", "numeric", "wide"),
    ("expiry", "Expires (MM/YY)", "cc-exp", "numeric", "half"),
    ("cvc", "Security code", "cc-csc", "numeric", "half"),
)
FIELD = Markup("""<p class="{width}">
<label for="{name}">{label}</label>
<input id="{name}" name="{name}" autocomplete="{hint}" inputmode="{keys}" required
  aria-describedby="{name}-error">
<span class="error" id="{name}-error" role="alert" hidden></span>
</p>""")
PAGE = Markup("""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="stylesheet" href="card_form.css">
<script src="card_form.js" defer></script>
</head>
<body>
<form novalidate>
<p class="wide title">{title}</p>
{fields}
<p class="wide error" id="form-error" role="alert" hidden data-failed="{failed}"></p>
<p class="wide"><button disabled data-wait="{wait}">{pay}</button></p>
<p class="wide notice">{notice}</p>
</form>
</body>
</html>
""")


@dataclass(frozen=True)
class CardForm:
    """The resources below `/xpay/`: `form`, its two files, and `customer-tokens`."""

    xpay: XPay

    def answer(self, request: Request) -> Response:
        """Return the form, one of its files, or a token."""
        name = request.path.removeprefix("/xpay/").rstrip("/")
        if name == "form":
            return _form(request)
        if name in {"card_form.js", "card_form.css"}:
            kind = "text/javascript" if name.endswith("js") else "text/css"
            return Response((FOLDER / name).read_bytes(), mimetype=kind)
        if name == "customer-tokens":
            return self._token(request)
        return Response("Not found.", 404, mimetype="text/plain")

    def _token(self, request: Request) -> Response:
        """Return a new token.

        Inferred: a call of the form needs no authorization; the documents name one for servers.
        """
        language = document_language(request.accept_languages.best or "en")
        try:
            if request.method != "POST":
                raise method_not_allowed(request.method)
            return _json(201, self.xpay.create_token(_payload(request)))
        except ApiError as refused:
            return _json(refused.status, _translated(refused.body, language))


def _payload(request: Request) -> Any:
    try:
        return store.from_wire(request.get_data())
    except ValueError:
        return None


def _translated(node: Any, language: str) -> Any:
    if isinstance(node, dict):
        return {key: _translated(below, language) for key, below in node.items()}
    if isinstance(node, list):
        return [_translated(below, language) for below in node]
    return label(node, language) if isinstance(node, str) else node


def _form(request: Request) -> Response:
    language = document_language(request.args.get("language", "en"))
    fields = Markup("").join(
        FIELD.format(name=name, label=label(text, language), hint=hint, keys=keys, width=width)
        for name, text, hint, keys, width in FIELDS
    )
    html = PAGE.format(
        language=language,
        title=label("Your card, by XPay", language),
        fields=fields,
        failed=label("XPay could not be reached. Please try again.", language),
        wait=label("Please wait …", language),
        pay=label("Use this card", language),
        notice=label(
            "The local XPay: use test cards only. 4242 4242 4242 4242 works, and "
            "4000 0000 0000 0002 is refused at once.",
            language,
        ),
    )
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
    return Response(html, headers=headers, mimetype="text/html")


def _json(status: int, body: Any) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(store.to_wire(body), status, headers=headers, mimetype="application/json")
