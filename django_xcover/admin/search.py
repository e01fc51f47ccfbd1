"""What staff type into the search box: an order, a package, a policy or an e-mail address.

Each is told by its looks and looked up in a column of its own. `search_fields` would ask for all
of them at once, by OR over two tables, which no index can answer (measured: seconds at 1,000,000
packages).
"""

from __future__ import annotations

import re

from django.db.models import Q

from django_xcover.models import Quote, QuotePackage

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
WORKFLOW_ID = re.compile(r"-(CCL|UPD|REN)$")


def packages_matching(text: str) -> Q:
    """Return the condition on QuotePackage that finds `text`."""
    text = text.strip()
    if "@" in text:
        return Q(policyholder_email__iexact=text)
    if UUID.fullmatch(text):
        return Q(pk__in=Quote.objects.filter(quote_id=text.lower()).values("package"))
    # Package ids are upper case (Quotes API: identifiers); callers read them out in any case.
    if text.upper().endswith("-INS"):
        return Q(package_id=text.upper()) | Q(order_reference=text)
    return Q(order_reference__startswith=text)


def rows_matching(text: str) -> Q:
    """Return the condition on rows with a `package` that finds `text`."""
    return Q(package__in=QuotePackage.objects.filter(packages_matching(text)).values("pk"))


def quotes_matching(text: str) -> Q:
    """Return the condition on Quote: a policy id finds itself and not its neighbours."""
    text = text.strip()
    return Q(quote_id=text.lower()) if UUID.fullmatch(text) else rows_matching(text)


def workflows_matching(text: str, vendor_id: str) -> Q:
    """Return the condition on rows with a `package` and XCover's id in the column `vendor_id`.

    These ids mix cases, and case tells them apart (Quotes API: identifiers).
    """
    text = text.strip()
    is_id = vendor_id and WORKFLOW_ID.search(text)
    return Q(**{vendor_id: text}) if is_id else rows_matching(text)
