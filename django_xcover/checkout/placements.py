"""Where on the shop's pages an offer stands, for the daily numbers.

The tag names the place, and the request for the fragment repeats it, signed: otherwise anyone could
fill the table with names.
"""

from __future__ import annotations

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest

from django_xcover.offers import statistics
from django_xcover.offers.quoting import Look

# Query parameters. An offer that is only prepared is not shown.
PLACEMENT, UNSEEN = "placement", "prepare"
# The page without JavaScript.
PAGE = "page"
LONGEST = 40


def sign(placement: str) -> str:
    """Return `placement` with its signature, "" for no name."""
    return _signer().sign(placement[:LONGEST]) if placement else ""


def note(look: Look, placement: str) -> None:
    """Note that the offer of `look`, if there is one, is shown at `placement`."""
    statistics.note_shown(look.offer, placement[:LONGEST])


def note_fragment(request: HttpRequest, look: Look) -> None:
    """Note that the script shows the offer of `look` at the place that the request names."""
    if UNSEEN not in request.GET:
        note(look, _named_in(request))


def _named_in(request: HttpRequest) -> str:
    try:
        return _signer().unsign(request.GET.get(PLACEMENT, ""))
    except BadSignature:
        return ""


def _signer() -> Signer:
    return Signer(salt="django_xcover.placement")
