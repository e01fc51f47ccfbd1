"""What cannot be done after the sale, each with the sentence that a person reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """Something was asked for that cannot be done, and nothing has changed.

    `str()` is a sentence for the shopper or for staff, in the language of the person who asked.
    Subclasses set `message`; its `%(name)s` places are filled from the keyword arguments.
    """

    message = _("This cannot be done.")

    def __init__(self, **facts: Any) -> None:
        super().__init__(str(self.message) % facts if facts else str(self.message))


def refusal(check: Callable[..., object], *facts: Any) -> Refused | None:
    """Return what `check` refuses `facts` with, None where it does not.

    For whoever only asks whether something can be done, by the rule of the service that does it.
    """
    try:
        check(*facts)
    except Refused as reason:
        return reason
    return None
