"""A price on a product page without a package, and cover that is quoted and booked in one call.

Both are for partners to whom XCover allows them (Quotes API: fast quote, instant booking).
"""

from __future__ import annotations

from django_xcover.services.fast_quoting.booking import book
from django_xcover.services.fast_quoting.declining import opt_out
from django_xcover.services.fast_quoting.pricing import FastOffer, price

__all__ = ["FastOffer", "book", "opt_out", "price"]
