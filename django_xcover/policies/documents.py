"""Documents and pages at XCover: bearer links, given only to users who may see the order."""

from __future__ import annotations

from urllib.parse import quote as quoted
from urllib.parse import urlencode, urlsplit

from django.db.models import Q
from django.http import HttpRequest

from django_xcover.adapters import get_adapter
from django_xcover.exceptions import DocumentMissing
from django_xcover.mirror import history
from django_xcover.mirror.presentation import web_address
from django_xcover.models import BOOKED, AccessRecord, Quote, QuotePackage, Status
from django_xcover.tracebacks import clears_frames

CERTIFICATE, CERTIFICATE_PDF, WORDING = "certificate", "certificate-pdf", "wording"
CLAIM, CANCEL, ACCOUNT = "claim", "cancel", "account"
# Documents to read, and pages where the customer can act.
PAPERS = (CERTIFICATE, CERTIFICATE_PDF, WORDING)
PAGES = (CLAIM, CANCEL, ACCOUNT)
KINDS = PAPERS + PAGES

SITE = "https://www.xcover.com/en"
STAFF_PERMISSION = "xcover.open_links"


@clears_frames
def document_url(request: HttpRequest, quote_id: str, kind: str) -> str:
    """Return XCover's link for a document of a policy, or for a page about it.

    `kind` is one of KINDS. The link is given to users whom the shop's adapter lets see the order,
    and to staff with the permission `xcover.open_links`. Raises DocumentMissing for anyone else, as
    it does if there is nothing to show, so as not to reveal whether a policy exists. The link
    carries a security token: redirect to it, and never log it or store it elsewhere.
    """
    # The wording can be read before booking; a quote without an order belongs to no customer.
    ordered = Q(status__in=BOOKED) | ~Q(package__order_reference="")
    rows = Quote.objects.select_related("package").filter(ordered, quote_id=quote_id)
    quote = rows.first()
    if quote is None or quote.quote_id != quote_id:
        raise DocumentMissing
    if not _may_open(request, quote.package):
        raise DocumentMissing
    url = _link(quote, quote.package, kind)
    if not url:
        raise DocumentMissing
    history.record_access(request, AccessRecord.What.DOCUMENT, kind, quote.package)
    return url


def kinds_of(quote: Quote, package: QuotePackage) -> tuple[str, ...]:
    """Return the kinds of documents and pages available for a quote or policy."""
    return tuple(kind for kind in KINDS if _link(quote, package, kind))


def _may_open(request: HttpRequest, package: QuotePackage) -> bool:
    user = getattr(request, "user", None)
    if user is not None and user.is_staff and user.has_perm(STAFF_PERMISSION):
        return True
    adapter = get_adapter()
    order = adapter.get_order(package.order_reference)
    return order is not None and adapter.can_view_order(request, order)


def _link(quote: Quote, package: QuotePackage, kind: str) -> str:
    answer = package.answer
    # XCover's documented page for reporting a loss (Claim), if the answer has no link to it.
    form = f"{_site(package)}/account/claims/fnol?{urlencode({'bookingID': package.package_id})}"
    links = {
        CERTIFICATE: answer.coi_url if _covers(quote) else "",
        CERTIFICATE_PDF: answer.coi_pdf if _covers(quote) else "",
        WORDING: quote.answer.pds_url,
        CLAIM: (answer.claim_url or form) if _covers(quote) else "",
        CANCEL: _cancellation_page(quote, package),
        ACCOUNT: answer.account_url if _covers(quote) else "",
    }
    return web_address(links.get(kind))


def _covers(quote: Quote) -> bool:
    # XCover also sends links to certificate and account while a payment is pending (recorded).
    # They don't prove cover, so they are only used once the policy is confirmed.
    return quote.status in {Status.CONFIRMED, Status.RENEWED}


def _cancellation_page(quote: Quote, package: QuotePackage) -> str:
    """Return XCover's own cancellation page; the link needs the booking's token."""
    if quote.status != Status.CONFIRMED or quote.can_be_cancelled is False:
        return ""
    answer = package.answer
    page = f"{_site(package)}/cancel/{quoted(package.package_id)}"
    token = answer.security_token
    return answer.cancel_url or (f"{page}?{urlencode({'security_token': token})}" if token else "")


def _site(package: QuotePackage) -> str:
    """Return the site with its language, `https://www.xcover.com/en`, as the answer's links say."""
    for address in (package.answer.account_url, package.answer.pds_url):
        parts = urlsplit(web_address(address))
        language = parts.path.strip("/").split("/")[0]
        if parts.netloc and language:
            return f"{parts.scheme}://{parts.netloc}/{language}"
    return SITE
