"""Retry failed attempts: which ones, when, and with what final error."""

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

RETRIED_FAULTS = frozenset({502, 503, 504})  # Quotes API: idempotency, the sample client
NOT_SENT = (HeldBack, NoTimeLeft)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The number of attempts at one call and the waits between them, within its deadline.

    Wait n is `backoff * 2**(n-1)` seconds, at most `longest`, multiplied by a random factor between
    0.5 and 1. A longer `Retry-After` takes precedence.
    """

    attempts: int = 5
    backoff: float = 0.5
    longest: float = 8.0

    def wait(self, failure: BaseException | None, number: int) -> float:
        """Return the seconds to wait after attempt `number` (from 1) failed with `failure`."""
        full = min(self.backoff * 2.0 ** (number - 1), self.longest)
        requested = failure.retry_after if isinstance(failure, XCoverError) else None
        jittered = full * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
        return max(jittered, requested or 0.0)


def worth_repeating(
    failure: BaseException, *, repeatable: bool, when_throttled: bool = False
) -> bool:
    """Return whether an attempt that failed with `failure` can be repeated without risk.

    A call that is not repeatable (a write without a key) is repeated only if no byte of it was
    sent or, with `when_throttled`, if XCover refused it for its rate limit. In both cases XCover
    certainly did nothing.
    """
    if not isinstance(failure, XCoverError) or failure.permanent:
        return False
    if isinstance(failure, ConnectionFailed):
        return repeatable or not failure.request_sent
    if isinstance(failure, Throttled):
        return repeatable or when_throttled
    transient = isinstance(failure, Locked)
    transient |= isinstance(failure, ServerFault) and failure.status in RETRIED_FAULTS
    return transient and repeatable


def run(
    attempt: Callable[[int], T],
    *,
    policy: RetryPolicy,
    deadline: Deadline,
    repeatable: bool,
    when_throttled: bool = False,
) -> T:
    """Return the first successful result of `attempt(number)`, or raise the last failure.

    Its `outcome_known` is False if it was False for any attempt: a refused connection after a lost
    response does not make the lost response known. If a retry cannot start (rate limit, deadline),
    the previous failure is raised.
    """
    attempts = _Attempts(attempt)
    turns = Retrying(
        retry=retry_if_exception(
            lambda e: worth_repeating(e, repeatable=repeatable, when_throttled=when_throttled)
        ),
        wait=lambda state: policy.wait(_failure(state), state.attempt_number),
        stop=partial(_should_stop, policy, deadline),
        reraise=True,
    )
    try:
        for turn in turns:
            with turn:
                return attempts.make(turn.retry_state.attempt_number)
    except NOT_SENT as reason:
        # Otherwise the circuit breaker would not see any failure while the rate limit is used up,
        # and retries help to use it up.
        raise attempts.failure or reason from None
    raise AssertionError("tenacity ends by returning or raising")  # pragma: no cover


@dataclass(slots=True)
class _Attempts(Generic[T]):
    """The attempts at one call. `failure` is the error of the last one that was sent."""

    attempt: Callable[[int], T]
    failure: XCoverError | None = None
    doubt: bool = False

    def make(self, number: int) -> T:
        try:
            return self.attempt(number)
        except NOT_SENT:
            raise
        except XCoverError as failure:
            self.doubt = self.doubt or not failure.outcome_known
            failure.outcome_known = not self.doubt
            self.failure = failure
            raise


def _should_stop(policy: RetryPolicy, deadline: Deadline, state: RetryCallState) -> bool:
    # A wait that would use up the time is not started, so that the caller gets the failure now.
    return state.attempt_number >= policy.attempts or state.upcoming_sleep >= deadline.left


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
