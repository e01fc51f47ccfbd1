"""Which failed attempts are made again, when, and what is known after all of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from django_xcover.client.connections import Deadline
from django_xcover.client.errors import (
    ConnectionFailed,
    HeldBack,
    Locked,
    NoTimeLeft,
    ServerFault,
    Throttled,
    XCoverError,
)

RETRIED_FAULTS = frozenset({502, 503, 504})  # Quotes API: idempotency, the page's own client
NOT_MADE = (HeldBack, NoTimeLeft)  # nothing was sent

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how far apart one call is attempted, always within its deadline.

    Wait n is `backoff * 2**(n-1)` seconds, at most `longest`, of which a random half to whole is
    taken; a longer `Retry-After` goes first.
    """

    attempts: int = 5
    backoff: float = 0.5
    longest: float = 8.0

    def wait(self, failure: BaseException | None, number: int) -> float:
        """Return the seconds to wait after attempt `number` (from 1) failed with `failure`."""
        full = min(self.backoff * 2.0 ** (number - 1), self.longest)
        asked = failure.retry_after if isinstance(failure, XCoverError) else None
        return max(full * random.uniform(0.5, 1.0), asked or 0.0)  # noqa: S311 (spread, no secret)


def worth_repeating(
    failure: BaseException, *, repeatable: bool, when_throttled: bool = False
) -> bool:
    """Tell whether an attempt that failed so may be made again without risk.

    A call that is not repeatable (a write without key) is, only when no byte of it left, or with
    `when_throttled` when XCover turned it away at its rate limit: then it was certainly not done.
    """
    if not isinstance(failure, XCoverError) or failure.permanent:
        return False
    if isinstance(failure, ConnectionFailed):
        return repeatable or not failure.request_sent
    if isinstance(failure, Throttled):
        return repeatable or when_throttled
    passing = isinstance(failure, Locked)
    passing |= isinstance(failure, ServerFault) and failure.status in RETRIED_FAULTS
    return passing and repeatable


def run(
    attempt: Callable[[int], T],
    *,
    policy: RetryPolicy,
    deadline: Deadline,
    repeatable: bool,
    when_throttled: bool = False,
) -> T:
    """Return the first success of `attempt(number)`; raise the last failure as it is.

    Its `outcome_known` is False as soon as any attempt left a doubt: a refused connection after a
    lost answer does not make the lost answer known. A repeat that is not made, held back or without
    time, is no failure of its own: the one before it is raised.
    """
    attempts = _Attempts(attempt)
    turns = Retrying(
        retry=retry_if_exception(
            lambda e: worth_repeating(e, repeatable=repeatable, when_throttled=when_throttled)
        ),
        wait=lambda state: policy.wait(_failure(state), state.attempt_number),
        stop=partial(_enough, policy, deadline),
        reraise=True,
    )
    try:
        for turn in turns:
            with turn:
                return attempts.make(turn.retry_state.attempt_number)
    except NOT_MADE as reason:
        # Whoever counts failures would otherwise never hear of any while the rate limit is used
        # up, which repeats themselves help to do.
        raise attempts.failure or reason from None
    raise AssertionError("tenacity ends by returning or raising")  # pragma: no cover


@dataclass(slots=True)
class _Attempts(Generic[T]):
    """The attempts at one call: `failure` is the last one that was made and failed."""

    attempt: Callable[[int], T]
    failure: XCoverError | None = None
    doubt: bool = False

    def make(self, number: int) -> T:
        try:
            return self.attempt(number)
        except NOT_MADE:
            raise
        except XCoverError as failure:
            self.doubt = self.doubt or not failure.outcome_known
            failure.outcome_known = not self.doubt
            self.failure = failure
            raise


def _enough(policy: RetryPolicy, deadline: Deadline, state: RetryCallState) -> bool:
    # A wait that would use up the time is not begun: the caller gets the answer it has.
    return state.attempt_number >= policy.attempts or state.upcoming_sleep >= deadline.left


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
