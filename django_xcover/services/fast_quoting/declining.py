"""Telling XCover that a price was shown and not taken."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from django_xcover.conf import DEFAULT_ACCOUNT
from django_xcover.models import Operation, OperationKind, QuotePackage, Status
from django_xcover.services import operations
from django_xcover.services.fast_quoting.pricing import FastOffer
from django_xcover.types import QuoteRequest


def opt_out(
    offer: FastOffer, request: QuoteRequest, *, account: str = DEFAULT_ACCOUNT
) -> Operation | None:
    """Write that `offer`, made for `request`, was not taken; None when XCover gave it no id.

    Call it inside the transaction that makes an order without the cover. XCover takes the
    fast-quote id in place of a package id (Quotes API: insurance opt-out), so a row stands for it
    here. A price from the cache is one offer, however many saw it: it is declined once.
    """
    if not offer.fast_quote_id:
        return None
    with transaction.atomic():
        package, _ = QuotePackage.objects.get_or_create(
            account=account,
            package_id=offer.fast_quote_id,
            defaults={
                "status": Status.RECEIVED,
                "currency": offer.currency,
                "total_price": offer.premium.amount,
                "customer_country": request.customer_country,
                "customer_language": request.customer_language,
                "quoted_at": timezone.now(),
            },
        )
        return operations.enqueue(package, OperationKind.OPT_OUT)
