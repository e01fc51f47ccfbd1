"""Links to a policy's documents and pages at XCover, for staff who may open them.

They lead through our own address, which asks for the permission again and then for XCover's link:
that one opens the document for anybody who has it, so it stands on no page.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from django_xcover.models import Quote
from django_xcover.services import documents

NAMES = {
    documents.CERTIFICATE: _("Certificate of insurance"),
    documents.CERTIFICATE_PDF: _("Certificate (PDF)"),
    documents.WORDING: _("Policy wording"),
    documents.CLAIM: _("Claim form"),
    documents.CANCEL: _("XCover's cancellation page"),
    documents.ACCOUNT: _("Customer's account"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One link."""

    label: str
    url: str


def documents_of(request: HttpRequest, policy: Quote) -> list[Document]:
    """Return the links that this request's user may follow; none when the shop mounts no URLs."""
    if not request.user.has_perm(documents.STAFF_PERMISSION):
        return []
    kinds = documents.kinds_of(policy, policy.package)
    try:
        return [_document(policy, kind) for kind in kinds]
    except NoReverseMatch:
        return []


def _document(policy: Quote, kind: str) -> Document:
    url = reverse("xcover:document", args=(policy.quote_id, kind))
    return Document(label=str(NAMES.get(kind, kind)), url=url)
