"""Links to documents at XCover: bearer links, handed only to those who may see the order."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from django_xcover.adapters import get_adapter
from django_xcover.models import Policy, Quote, QuotePackage, Status
from django_xcover.services.offers import web_address

CERTIFICATE, CERTIFICATE_PDF, WORDING = "certificate", "certificate-pdf", "wording"
KINDS = (CERTIFICATE, CERTIFICATE_PDF, WORDING)


class DocumentMissing(LookupError):
    """There is no such policy, or XCover has named no such document for it."""


def document_url(request: HttpRequest, quote_id: str, kind: str) -> str:
    """Return XCover's link for a document of a policy.

    `kind` is one of KINDS. Raises PermissionDenied when the shop's adapter says that this request
    may not see the order, and DocumentMissing when there is nothing to show. The link carries a
    security token: redirect to it, and never log or store it elsewhere.
    """
    policy = Policy.objects.select_related("package").filter(quote_id=quote_id).first()
    if policy is None or policy.quote_id != quote_id:
        raise DocumentMissing
    adapter = get_adapter()
    order = adapter.get_order(policy.package.order_reference)
    if order is None or not adapter.can_view_order(request, order):
        raise PermissionDenied
    url = _link(policy, policy.package, kind)
    if not url:
        raise DocumentMissing
    return url


def kinds_of(quote: Quote, package: QuotePackage) -> tuple[str, ...]:
    """Return the kinds of documents there are for a quote or policy."""
    return tuple(kind for kind in KINDS if _link(quote, package, kind))


def _link(quote: Quote, package: QuotePackage, kind: str) -> str:
    # XCover sends certificate links with a booking whose payment is pending, too (recorded). They
    # prove no cover, so they count once it is confirmed.
    covered = quote.status in {Status.CONFIRMED, Status.RENEWED}
    certificate = (package.payload.get("coi") if covered else None) or {}
    links = {
        CERTIFICATE: certificate.get("url"),
        CERTIFICATE_PDF: certificate.get("pdf"),
        WORDING: quote.payload.get("pds_url"),
    }
    return web_address(links.get(kind))
