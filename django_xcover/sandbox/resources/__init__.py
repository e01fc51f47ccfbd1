"""The operations, one module per resource. `OPERATIONS` maps their names to functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.resources import (
    bookings,
    cancellations,
    instalments,
    modifications,
    quotes,
    renewals,
)

OPERATIONS: Mapping[str, Callable[[Inquiry], Answer]] = {
    "create_quote": quotes.create_quote,
    "fast_quote": quotes.fast_quote,
    "get_quote": quotes.get_quote,
    "update_quote": quotes.update_quote,
    "add_quotes": quotes.add_quotes,
    "delete_quotes": quotes.delete_quotes,
    "create_booking": bookings.create_booking,
    "instant_booking": bookings.instant_booking,
    "confirm_booking": bookings.confirm_booking,
    "get_booking": bookings.get_booking,
    "list_bookings": bookings.list_bookings,
    "opt_out": quotes.opt_out,
    "cancel_booking": cancellations.cancel_booking,
    "confirm_cancellation": cancellations.confirm_cancellation,
    "modify_booking": modifications.modify_booking,
    "quote_modification": modifications.quote_modification,
    "confirm_modification": modifications.confirm_modification,
    "get_instalments": instalments.get_instalments,
    "report_instalment": instalments.report_instalment,
    "send_email": bookings.send_email,
    "quote_for_renewal": renewals.quote_for_renewal,
    "confirm_renewal": renewals.confirm_renewal,
    "opt_out_of_renewal": renewals.opt_out_of_renewal,
    "confirm_renewal_legacy": renewals.confirm_renewal_legacy,
}
