"""What staff type into the search box: an order, a name, an address, a package, a policy.

`search_fields` would ask for all columns at once, by OR over two tables, which no index can answer
(measured: seconds at 1,000,000 packages). The keys are looked up first, a few hundred at most.
"""

from __future__ import annotations

import re

from django.db.models import Q

from django_xcover.models import QuotePackage
from django_xcover.services import search_terms

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
WORKFLOW_ID = re.compile(r"-(CCL|UPD|REN)$")


def packages_matching(text: str) -> Q:
    """Return the condition on QuotePackage that finds `text`."""
    return Q(pk__in=search_terms.find(text))


def rows_matching(text: str) -> Q:
    """Return the condition on rows with a `package` that finds `text`."""
    return Q(package__in=search_terms.find(text))


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


def package_ids_matching(text: str) -> set[str]:
    """Return the package ids that `text` finds, and those it can be itself, ours or not."""
    ours = QuotePackage.objects.filter(packages_matching(text)).values_list("package_id", flat=True)
    typed = text.strip().upper()
    return {*ours, typed, f"{typed}-INS"}
