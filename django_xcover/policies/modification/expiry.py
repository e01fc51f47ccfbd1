"""Priced changes that can never be made, given up."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef

from django_xcover.models import Modification, Operation, OperationKind
from django_xcover.policies.modification.settlement import abandon, is_open

# While XCover may still refuse one of these, what stands against other changes may pass.
PASSING = (OperationKind.MODIFY, OperationKind.CANCEL)


def give_up_outdated() -> list[Modification]:
    """Give up the priced changes that can no longer be settled, and return them.

    Once a day will do: nobody is asked to pay for one meanwhile. Only those whose package has
    changed since are looked at, because most prices that nobody pays stay as they are for ever.
    """
    under_way = Operation.objects.unfinished().filter(package=OuterRef("package"), kind__in=PASSING)
    rows = Modification.objects.select_related("package").filter(
        ~Exists(under_way),
        state=Modification.State.QUOTED,
        package__updated_at__gte=F("created_at"),
    )
    over = [row for row in rows if not is_open(row)]
    for row in over:
        abandon(row)
    return over
