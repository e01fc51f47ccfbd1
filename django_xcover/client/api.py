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
from django_xcover.client.responses import Response
from django_xcover.client.retry import RetryPolicy
from django_xcover.tracebacks import methods_clear_frames

Payload = Mapping[str, object]


class Read(TypedDict, total=False):
    """Options of a call that reads.

    `deadline` limits the whole call, retries included, in seconds.
    """

    deadline: float | None


class Write(Read, total=False):
    """Options of a call that writes.

    `idempotency_key` identifies the operation. Store it before the call and pass the same key on
    every later attempt. A call without a key is never repeated once it may have been sent.
    """

    idempotency_key: str | None


@methods_clear_frames
class XCoverClient:
    """A client for the endpoints of one partner. Create it once and share it between threads.

    Each method returns the decoded JSON object as a `Response` (amounts as Decimal), or None where
    its docstring says so, and raises an `XCoverError` on failure. Payloads are plain mappings with
    XCover's own keys; Decimal, date, aware datetime and UUID are encoded as XCover expects them.
    Proxies and the CA bundle come from the environment. Redirects are not followed.
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
        """Raise ConfigurationError for unusable arguments. No connection is opened yet.

        `base_url` includes XCover's prefix (`https://api.xcover.com/x`), with or without a trailing
        slash. `deadline` and `booking_deadline` limit a whole call with its retries, in seconds;
        the latter applies to calls that book, change or cancel, for which XCover recommends 10 s
        or more. `connect_timeout` limits each connection attempt. `max_attempts` and `backoff`
        (seconds, doubled each time, with jitter) control the retries. `allow_insecure` permits
        plain http to another machine. A `session` that is passed in is used unchanged and is not
        closed. A `limiter` may delay or refuse each attempt (`requestor.Limiter`).
        """
        if min(deadline, booking_deadline, connect_timeout) <= 0 or max_attempts < 1 or backoff < 0:
            raise ConfigurationError(
                "timeouts must be positive, max_attempts at least 1 and backoff not negative"
            )
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
        self._requestor = requestor.Requestor(
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
        """Close the pooled connections. The client opens new ones if it is used again."""
        self._transport.close()

    # Quotes

    def create_quote(self, payload: Payload, **options: Unpack[Write]) -> Response:
        """Quote each item of `payload["request"]` and store the quote package at XCover."""
        return self._answer(endpoints.CREATE_QUOTE, payload, **options)

    def fast_quote(self, payload: Payload, **options: Unpack[Write]) -> Response:
        """Quote without storing. There is no package id, so only instant booking can follow."""
        return self._answer(endpoints.CREATE_QUOTE, payload, {"fast_quote": "1"}, **options)

    def get_quote(self, package_id: str, **options: Unpack[Read]) -> Response:
        """Return a quote package in any status, including after it was booked."""
        return self._answer(endpoints.GET_QUOTE.at(package_id), **options)

    def update_quote(self, package_id: str, payload: Payload, **options: Unpack[Write]) -> Response:
        """Change and re-price quotes. Each item of `payload["request"]` has a `quote_id`."""
        return self._answer(endpoints.UPDATE_QUOTE.at(package_id), payload, **options)

    def add_quotes(self, package_id: str, payload: Payload, **options: Unpack[Write]) -> Response:
        """Add quotes to a package. XCover renumbers the keys of `quotes`, newest first."""
        return self._answer(endpoints.ADD_QUOTES.at(package_id), payload, **options)

    def delete_quotes(
        self, package_id: str, payload: Payload, **options: Unpack[Write]
    ) -> Response:
        """Remove the quotes listed in `payload["quotes"]` as `{"id": …}`."""
        return self._answer(endpoints.DELETE_QUOTES.at(package_id), payload, **options)

    # Bookings

    def create_booking(
        self, package_id: str, payload: Payload, **options: Unpack[Write]
    ) -> Response:
        """Book the quotes listed in `payload["quotes"]` for `payload["policyholder"]`."""
        return self._answer(endpoints.CREATE_BOOKING.at(package_id), payload, **options)

    def confirm_booking(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> Response:
        """Confirm that the premium of a PENDING_PAYMENT booking was paid."""
        return self._answer(endpoints.CONFIRM_BOOKING.at(package_id), payload, **options)

    def instant_booking(self, payload: Payload, **options: Unpack[Write]) -> Response:
        """Quote and book in one call. XCover enables this per partner."""
        return self._answer(endpoints.INSTANT_BOOKING, payload, **options)

    def opt_out(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> None:
        """Record that insurance was offered and declined."""
        self._answer_or_none(endpoints.OPT_OUT.at(package_id), payload, **options)

    def get_booking(
        self, package_id: str, *, language: str | None = None, **options: Unpack[Read]
    ) -> Response:
        """Return a booking in its current state, in `language` (such as `en-us`) if given."""
        params = {"language": language} if language else {}
        return self._answer(endpoints.GET_BOOKING.at(package_id), None, params, **options)

    def list_bookings(
        self, *, page_size: int = 50, offset: int = 0, **options: Unpack[Read]
    ) -> Iterator[Response]:
        """Yield every booking from `offset` on, fetching pages as needed.

        A `deadline` applies to each page. XCover does not guarantee any order.
        """
        start: int | None = offset
        while start is not None:
            window = {"limit": str(page_size), "offset": str(start)}
            page = self._answer(endpoints.LIST_BOOKINGS, None, window, **options)
            yield from (Response(booking) for booking in _results(page))
            start = _next_offset(page, start)

    # Modifications

    def booking_modification(
        self, package_id: str, payload: Payload, **options: Unpack[Write]
    ) -> Response:
        """Change a booking immediately. Only for changes that do not affect the premium."""
        return self._answer(endpoints.MODIFY.at(package_id), payload, **options)

    def booking_modification_quote(
        self, package_id: str, payload: Payload, **options: Unpack[Write]
    ) -> Response:
        """Price a change. The response has the new prices and an `update_id`; nothing changes."""
        return self._answer(endpoints.QUOTE_MODIFICATION.at(package_id), payload, **options)

    def confirm_booking_modification(
        self,
        package_id: str,
        update_id: str,
        payload: Payload | None = None,
        **options: Unpack[Write],
    ) -> Response:
        """Apply the change that was priced under `update_id`."""
        endpoint = endpoints.CONFIRM_MODIFICATION.at(package_id, update_id)
        return self._answer(endpoint, payload, **options)

    # Cancellations

    def cancel_booking(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> Response:
        """Cancel a booking or the listed quotes. With `{"preview": True}`, only price it.

        The response to a preview has the status CANCELLED too, although nothing was cancelled.
        """
        return self._answer(endpoints.CANCEL.at(package_id), payload, **options)

    def confirm_booking_cancellation(
        self,
        package_id: str,
        cancellation_id: str,
        payload: Payload | None = None,
        **options: Unpack[Write],
    ) -> Response:
        """Carry out the cancellation that was previewed as `cancellation_id`."""
        endpoint = endpoints.CONFIRM_CANCELLATION.at(package_id, cancellation_id)
        return self._answer(endpoint, payload, **options)

    # Renewals

    def quote_for_renewal(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> Response:
        """Price the next period. The response has a `renewal_id`."""
        return self._answer(endpoints.QUOTE_RENEWAL.at(package_id), payload, **options)

    def renewal_confirmation(
        self,
        package_id: str,
        renewal_id: str,
        payload: Payload | None = None,
        **options: Unpack[Write],
    ) -> Response | None:
        """Confirm a renewal whose premium was collected. Return None for an empty response."""
        endpoint = endpoints.CONFIRM_RENEWAL.at(package_id, renewal_id)
        return self._answer_or_none(endpoint, payload, **options)

    def renewal_opt_out(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> Response | None:
        """Record that the customer declines the renewal. Return None for an empty response."""
        return self._answer_or_none(endpoints.RENEWAL_OPT_OUT.at(package_id), payload, **options)

    def legacy_renewal_confirmation(
        self, renewal_id: str, payload: Payload, **options: Unpack[Write]
    ) -> None:
        """Confirm a renewal by its id alone. `payload["paid_on"]` is the time of payment."""
        self._answer_or_none(endpoints.CONFIRM_RENEWAL_LEGACY.at(renewal_id), payload, **options)

    # Instalments and e-mails

    def get_instalments(self, package_id: str, **options: Unpack[Read]) -> Response:
        """Return the payment schedule of each instalment policy of a booking."""
        return self._answer(endpoints.GET_INSTALMENTS.at(package_id), **options)

    def update_instalment_payment_status(
        self, package_id: str, payload: Payload, **options: Unpack[Write]
    ) -> None:
        """Report the payments listed in `payload["quotes"]`."""
        self._answer_or_none(endpoints.REPORT_INSTALMENT.at(package_id), payload, **options)

    def trigger_email(
        self, package_id: str, payload: Payload | None = None, **options: Unpack[Write]
    ) -> None:
        """Have XCover resend the e-mail for the booking's status, or for `payload["event"]`."""
        self._answer_or_none(endpoints.SEND_EMAIL.at(package_id), payload, **options)

    def _answer(
        self,
        endpoint: Endpoint,
        payload: Payload | None = None,
        params: Mapping[str, str] | None = None,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> Response:
        return cast(
            "Response",  # never None: an empty response raises
            self._requestor.call(
                endpoint,
                payload,
                params or {},
                empty_allowed=False,
                idempotency_key=idempotency_key,
                deadline=deadline,
            ),
        )

    def _answer_or_none(
        self,
        endpoint: Endpoint,
        payload: Payload | None,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> Response | None:
        return self._requestor.call(
            endpoint,
            payload,
            {},
            empty_allowed=True,
            idempotency_key=idempotency_key,
            deadline=deadline,
        )


def _results(page: Response) -> list[dict[str, Any]]:
    results = page.get("results")
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise UnexpectedAnswer.at("results", "is not a list of bookings")
    if not results and page.get("next") is not None:
        # Following `next` from an empty page could loop forever.
        raise UnexpectedAnswer.at("results", "is empty before the last page")
    return results


def _next_offset(page: Response, start: int) -> int | None:
    """Return the offset of the next page, or None after the last.

    Only the offset is taken from `next`. In recorded pages the URL has another host, and following
    it would send a signed request there.
    """
    next_url = page.get("next")
    if next_url is None:
        return None
    try:
        offset = int(parse_qs(urlsplit(next_url).query)["offset"][0])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnexpectedAnswer.at("next", "has no valid offset") from None
    if offset <= start:
        raise UnexpectedAnswer.at("next", "does not move forward")
    return offset
