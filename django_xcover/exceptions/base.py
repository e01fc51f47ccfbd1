"""What all refusals have in common, and those of any room."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from django_xcover.client.errors import XCoverError


class ActionRefused(Exception):
    """The requested action is not possible. Nothing was changed.

    `str()` is a sentence for the shopper or for staff, in the active language. Subclasses set
    `code` and `message`, whose `%(name)s` placeholders are filled from the keyword arguments.
    """

    code: ClassVar[str] = "refused"
    message = _("This cannot be done.")

    def __init__(self, **context: object) -> None:
        super().__init__(str(self.message) % context if context else str(self.message))

    def __reduce__(self) -> tuple[object, ...]:
        # Celery pickles the exceptions of tasks, and `args` are not the arguments of `__init__`.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(
    cls: type[ActionRefused], args: tuple[object, ...], state: dict[str, object]
) -> ActionRefused:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


def refusal(check: Callable[..., object], *args: object) -> ActionRefused | None:
    """Return the refusal that `check(*args)` raises, or None if it raises none.

    For callers that only need to know whether an action is possible.
    """
    try:
        check(*args)
    except ActionRefused as error:
        return error
    return None


def code_of(error: BaseException) -> str:
    """Return the `code` of `error`, or its class name if it is not an error of this package."""
    code = getattr(type(error), "code", None)
    return code if isinstance(code, str) else type(error).__name__


# Passing values in.


class ReferenceTooLong(ActionRefused):
    """A reference is too long to store. Truncated it could become that of another payment."""

    code = "reference_too_long"
    message = _("This reference is too long: it may have %(longest)s characters.")


class CardNumberSent(ActionRefused):
    """A card number was submitted.

    `field` names the place. Neither `field` nor the message contains the number.
    """

    code = "card_number_sent"
    message = _("Please never send card numbers here. Nothing was saved.")

    def __init__(self, field: str = "") -> None:
        self.field = field
        super().__init__()


# Not found.


class NotVisible(LookupError):
    """The object does not exist, or this request may not see it. Callers do not learn which."""

    code: ClassVar[str] = "not_visible"


class PolicyMissing(NotVisible):
    """The policy does not exist, or this request may not see it."""

    code = "policy_missing"


class DocumentMissing(NotVisible):
    """The document does not exist, or this request may not see it."""

    code = "document_missing"


# Calls.


class CircuitOpen(XCoverError):
    """The call was not made, because XCover is down and the circuit is open."""

    code = "circuit_open"
    next_step = "The circuit breaker allows a call once its cool-down is over."
