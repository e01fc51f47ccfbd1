"""The XCover API as Python methods, one per endpoint, named as in the official Python SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self, TypedDict, Unpack, cast
from urllib.parse import parse_qs, urlsplit

import requests

from django_xcover.client import endpoints, requestor
from django_xcover.client.auth import SignatureAuth
from django_xcover.client.endpoints import Endpoint
from django_xcover.client.errors import ConfigurationError, UnexpectedAnswer
from django_xcover.client.http import Transport
from django_xcover.client.requestor import Limiter, unlimited
from django_xcover.client.responses import Answer
from django_xcover.client.retry import RetryPolicy

Payload = Mapping[str, object]


class Read(TypedDict, total=False):
    """Options of a reading call: `deadline`, seconds for the whole call with its retries."""

    deadline: float | None


class Write(Read, total=False):
    """Options of a writing call: also `idempotency_key`, without which it is never repeated.

    The key names the operation: store it before the call, give the same one on every later try.
    """

    idempotency_key: str | None


class XCoverClient:
    """Calls to XCover for one partner; build it once, share it between threads.

    Every method returns the decoded JSON object as an `Answer` (amounts as Decimal), or None
    where it says so, and raises an `XCoverError`. Payloads are plain mappings in XCover's own
    words; Decimal, date, aware datetime and UUID are encoded as XCover wants them.
    Proxies and CA bundle come from the environment; redirects are not followed.
    """

    def __init__(
        self,
        *,
        base_url: str,
        partner_code: str,
        api_key: str,
        api_secret: str,
        algorithm: str = "hmac-sha512",
        signed_headers: str = "date",
        deadline: float = 8.0,
        booking_deadline: float = 15.0,
        connect_timeout: float = 3.0,
        max_attempts: int = 5,
        backoff: float = 0.5,
        session: requests.Session | None = None,
        limiter: Limiter | None = None,
        allow_insecure: bool = False,
    ) -> None:
        """Raise ConfigurationError for anything unusable; open no connection yet.

        `base_url` includes XCover's prefix (`https://api.xcover.com/x`), with or without final
        slash. `deadline` and `booking_deadline` are seconds for a whole call with its retries,
        the latter for calls that book, change or cancel, for which XCover asks 10 s or more.
        `connect_timeout` bounds each attempt to connect, `max_attempts` and `backoff` (seconds,
        doubled each time, with jitter) the retries. `allow_insecure` permits plain http to
        another machine. A `session` given is used as it is and not closed. A `limiter` may hold
        each attempt back (`client.limiting`).
        """
        if min(deadline, booking_deadline, connect_timeout) <= 0 or max_attempts < 1 or backoff < 0:
            raise ConfigurationError("timeouts must be above zero, max_attempts at least one")
        url = requestor.partner_url(base_url, partner_code, allow_insecure=allow_insecure)
        auth = SignatureAuth(
            api_key=api_key,
            api_secret=api_secret,
            algorithm=algorithm,
            signed_headers=signed_headers,
        )
        self._name = f"{partner_code} at {base_url}"
        self._transport = Transport(
            base_url=url, auth=auth, connect_timeout=connect_timeout, session=session
        )
        self._caller = requestor.Caller(
            self._transport,
            partner_url=url,
            policy=RetryPolicy(attempts=max_attempts, backoff=backoff),
            deadline=deadline,
            booking_deadline=booking_deadline,
            limiter=limiter or unlimited,
        )

    def __repr__(self) -> str:
        return f"<XCoverClient {self._name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections; the client opens new ones when it is used again."""
        self._transport.close()

    # Quotes

    def create_quote(self, payload: Payload, **options: Unpack[Write]) -> Answer:
        """Quote each element of `payload["request"]` and store the quote package."""
        return self._answer(endpoints.CREATE_QUOTE, payload, **options)

    def fast_quote(self, payload: Payload, **options: Unpack[Write]) -> Answer:
        """Quote without storing: there is no package id, and only instant booking can follow."""
        return self._answer(endpoints.CREATE_QUOTE, payload, {"fast_quote": "1"}, **options)

    def get_quote(self, package_id: str, **options: Unpack[Read]) -> Answer:
        """Return a quote package, in any status, also after it was booked."""
        return self._answer(endpoints.GET_QUOTE.at(package_id), **options)

    def update_quote(self, package_id: str, payload: Payload, **options: Unpack[Write]) -> Answer:
        """Change and re-price quotes; elements of `payload["request"]` name their `quote_id`."""
        return self._answer(endpoints.UPDATE_QUOTE.at(package_id), payload, **options)

    def add_quotes(self, package_id: str, payload: Payload, **options: Unpack[Write]) -> Answer:
        """Quote more; the keys of the answer's `quotes` are numbered anew, newest first."""
        return self._answer(endpoints.ADD_QUOTES.at(package_id), payload, **options)

    def delete_quotes(self, package_id: str, payload: Payload, **options: Unpack[Write]) -> Answer:
        """Remove the quotes listed as `payload["quotes"] = [{"id": …}]`."""
        return self._answer(endpoints.DELETE_QUOTES.at(package_id), payload, **options)

    # Bookings

    def create_booking(self, package_id: str, payload: Payload, **options: Unpack[Write]) -> Answer:
        """Book the quotes listed in `payload["quotes"]` for `payload["policyholder"]`."""
        return self._answer(endpoints.CREATE_BOOKING.at(package_id), payload, **options)

    def confirm_booking(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> Answer:
        """Confirm that the premium of a PENDING_PAYMENT booking was paid."""
        return self._answer(endpoints.CONFIRM_BOOKING.at(package_id), payload, **options)

    def instant_booking(self, payload: Payload, **options: Unpack[Write]) -> Answer:
        """Quote and book in one call (only for partners to whom XCover allows it)."""
        return self._answer(endpoints.INSTANT_BOOKING, payload, **options)

    def opt_out(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> None:
        """Record that insurance was offered and not chosen."""
        self._perhaps(endpoints.OPT_OUT.at(package_id), payload, **options)

    def get_booking(
        self, package_id: str, *, language: str | None = None, **options: Unpack[Read]
    ) -> Answer:
        """Return a booking as XCover has it now, in `language` (`en-us`) when given."""
        params = {"language": language} if language else {}
        return self._answer(endpoints.GET_BOOKING.at(package_id), None, params, **options)

    def list_bookings(
        self, *, page_size: int = 50, offset: int = 0, **options: Unpack[Read]
    ) -> Iterator[Answer]:
        """Yield every booking from `offset` on, fetching pages as they are needed.

        A `deadline` counts for each page. The order is XCover's own and no promise.
        """
        start: int | None = offset
        while start is not None:
            window = {"limit": str(page_size), "offset": str(start)}
            page = self._answer(endpoints.LIST_BOOKINGS, None, window, **options)
            yield from (Answer(booking) for booking in _results(page))
            start = _next_offset(page, start)

    # Modifications

    def booking_modification(
        self, package_id: str, payload: Payload, **options: Unpack[Write]
    ) -> Answer:
        """Change a booking at once, for changes that leave the premium as it is."""
        return self._answer(endpoints.MODIFY.at(package_id), payload, **options)

    def booking_modification_quote(
        self, package_id: str, payload: Payload, **options: Unpack[Write]
    ) -> Answer:
        """Price a change: the answer shows the new prices and an `update_id`, nothing changes."""
        return self._answer(endpoints.QUOTE_MODIFICATION.at(package_id), payload, **options)

    def confirm_booking_modification(
        self,
        package_id: str,
        update_id: str,
        payload: Payload | None = None,
        **options: Unpack[Write],
    ) -> Answer:
        """Apply the change that was priced as `update_id`."""
        row = endpoints.CONFIRM_MODIFICATION.at(package_id, update_id)
        return self._answer(row, payload, **options)

    # Cancellations

    def cancel_booking(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> Answer:
        """Cancel a booking, or the quotes listed; with `{"preview": True}` only price it.

        A preview's answer says CANCELLED too, although nothing was cancelled.
        """
        return self._answer(endpoints.CANCEL.at(package_id), payload, **options)

    def confirm_booking_cancellation(
        self,
        package_id: str,
        cancellation_id: str,
        payload: Payload | None = None,
        **options: Unpack[Write],
    ) -> Answer:
        """Carry out the cancellation that was previewed as `cancellation_id`."""
        row = endpoints.CONFIRM_CANCELLATION.at(package_id, cancellation_id)
        return self._answer(row, payload, **options)

    # Renewals

    def quote_for_renewal(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> Answer:
        """Price the next period; the answer has a `renewal_id`."""
        return self._answer(endpoints.QUOTE_RENEWAL.at(package_id), payload, **options)

    def renewal_confirmation(
        self,
        package_id: str,
        renewal_id: str,
        payload: Payload | None = None,
        **options: Unpack[Write],
    ) -> Answer | None:
        """Confirm a renewal whose premium was collected; None when the answer is empty."""
        row = endpoints.CONFIRM_RENEWAL.at(package_id, renewal_id)
        return self._perhaps(row, payload, **options)

    def renewal_opt_out(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> Answer | None:
        """Record that the customer declines the renewal; None when the answer is empty."""
        return self._perhaps(endpoints.RENEWAL_OPT_OUT.at(package_id), payload, **options)

    def legacy_renewal_confirmation(
        self, renewal_id: str, payload: Payload, **options: Unpack[Write]
    ) -> None:
        """Confirm a renewal known by its id alone; `payload["paid_on"]` is when it was paid."""
        self._perhaps(endpoints.CONFIRM_RENEWAL_LEGACY.at(renewal_id), payload, **options)

    # Instalments and e-mails

    def get_instalments(self, package_id: str, **options: Unpack[Read]) -> Answer:
        """Return the payment schedule of each instalment policy of a booking."""
        return self._answer(endpoints.GET_INSTALMENTS.at(package_id), **options)

    def update_instalment_payment_status(
        self, package_id: str, payload: Payload, **options: Unpack[Write]
    ) -> None:
        """Report the payments listed in `payload["quotes"]`."""
        self._perhaps(endpoints.REPORT_INSTALMENT.at(package_id), payload, **options)

    def trigger_email(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> None:
        """Send the e-mail of the booking's status, or of `payload["event"]`, once more."""
        self._perhaps(endpoints.SEND_EMAIL.at(package_id), payload, **options)

    def _answer(
        self,
        endpoint: Endpoint,
        payload: Payload | None = None,
        params: Mapping[str, str] | None = None,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> Answer:
        return cast(
            "Answer",  # never None: an empty answer raises
            self._caller.call(
                endpoint,
                payload,
                params or {},
                empty_allowed=False,
                idempotency_key=idempotency_key,
                deadline=deadline,
            ),
        )

    def _perhaps(
        self,
        endpoint: Endpoint,
        payload: Payload | None,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> Answer | None:
        return self._caller.call(
            endpoint,
            payload,
            {},
            empty_allowed=True,
            idempotency_key=idempotency_key,
            deadline=deadline,
        )


def _results(page: Answer) -> list[dict[str, Any]]:
    results = page.get("results")
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise UnexpectedAnswer.at("results", "is not a list of bookings")
    if not results and page.get("next") is not None:
        # Followed, it could go on for ever.
        raise UnexpectedAnswer.at("results", "is empty before the last page")
    return results


def _next_offset(page: Answer, start: int) -> int | None:
    """Return where the next page starts, None after the last.

    Only the number is taken from `next`: recorded pages name another host, and following it
    would send a signed request there.
    """
    following = page.get("next")
    if following is None:
        return None
    try:
        offset = int(parse_qs(urlsplit(following).query)["offset"][0])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnexpectedAnswer.at("next", "names no offset") from None
    if offset <= start:
        raise UnexpectedAnswer.at("next", "does not lead forward")
    return offset
