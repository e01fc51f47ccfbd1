"""A change that is priced already, found by whoever asks for the same one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_xcover.models import Modification, Quote
from django_xcover.services.modifying.fields import typed
from django_xcover.services.modifying.settling import is_outdated


def open_change(
    quote: Quote, update_fields: Mapping[str, Any], *, after: int = 0
) -> Modification | None:
    """Return the open change of the policy to just these values, None where there is none.

    Only those whose primary key is above `after`. An amount is the same as "1600" and as 1600.00.
    """
    rows = Modification.objects.filter(package=quote.package_id, pk__gt=after)
    for row in rows.filter(state=Modification.State.QUOTED):
        if _is_same(row, quote, update_fields) and not is_outdated(quote.package, row):
            return row
    return None


def _is_same(row: Modification, quote: Quote, wanted: Mapping[str, Any]) -> bool:
    if row.quote_ids != [quote.quote_id]:
        return False
    fields = row.changes["quotes"][0].get("update_fields", {})
    return bool(typed(quote.policy_type, (), fields) == typed(quote.policy_type, (), wanted))
