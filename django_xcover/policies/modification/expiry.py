"""Abandon priced changes that can no longer be made."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef

from django_xcover.models import Modification, Operation, OperationKind
from django_xcover.policies.modification.settlement import abandon, is_open

# XCover may still refuse one of these, which would make other changes possible again.
PASSING = (OperationKind.MODIFY, OperationKind.CANCEL)


def give_up_outdated() -> list[Modification]:
    """Abandon the priced changes that can no longer be settled, and return them.

    Running this daily is enough, because an outdated change is never offered for payment. Only
    changes whose package has changed since are checked, because most unpaid quotes never change
    again.
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
