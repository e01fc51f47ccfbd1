"""What makes a price outdated that somebody was shown for a change, or for cancelling."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from django_xcover.models import Modification, QuotePackage

State = Modification.State


def changes_since(package: QuotePackage, at: datetime) -> QuerySet[Modification]:
    """Return the priced changes that have been made, or are to be, by a word given since `at`.

    A change that was settled earlier and is not made yet is left out: it may wait for a person,
    and a customer who wants to cancel must not wait with it.
    """
    made = Q(state=State.CONFIRMED, confirmed_at__gte=at)
    # Settling it was the last that happened to it.
    settled = Q(state=State.REQUESTED, updated_at__gte=at)
    return package.modifications.exclude(update_id="").filter(made | settled)
