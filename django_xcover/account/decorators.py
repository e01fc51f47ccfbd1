"""Access checks and privacy for the "My cover" views.

These views don't run in the shop's `ATOMIC_REQUESTS` transaction: some of them call XCover, and no
transaction stays open during the call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_not_required
from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_cookie

from django_xcover.exceptions import PolicyMissing
from django_xcover.models import Quote
from django_xcover.overview.policies import own_policy
from django_xcover.tracebacks import clears_frames

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
PolicyView = Callable[Concatenate[HttpRequest, Quote, P], HttpResponse]
GuardedView = Callable[Concatenate[HttpRequest, str, P], HttpResponse]


def private(view: View[P]) -> View[P]:
    """Keep the page out of caches, and its form data out of error reports.

    No login is required: the adapter decides whether a guest may see a policy.
    """
    hidden = sensitive_post_parameters()(never_cache(vary_on_cookie(view)))
    return clears_frames(login_not_required(non_atomic_requests(hidden)))


def shows(view: PolicyView[P]) -> GuardedView[P]:
    """Pass the shopper's policy to a read-only view; raise Http404 if it isn't theirs."""
    return private(require_safe(_own(view)))


def acts(view: PolicyView[P]) -> GuardedView[P]:
    """Pass the shopper's policy to a POST-only view; raise Http404 if it isn't theirs."""
    return private(require_POST(_own(view)))


def asks_and_acts(view: PolicyView[P]) -> GuardedView[P]:
    """Pass the shopper's policy to a view with a form; raise Http404 if it isn't theirs."""
    return private(require_http_methods(["GET", "HEAD", "POST"])(_own(view)))


def _own(view: PolicyView[P]) -> GuardedView[P]:
    @wraps(view)
    def guarded(
        request: HttpRequest, quote_id: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        try:
            quote = own_policy(request, quote_id)
        except PolicyMissing as missing:
            # The same response as for an unknown policy, so it doesn't reveal which ones exist.
            raise Http404 from missing
        return view(request, quote, *args, **kwargs)

    return cast("GuardedView[P]", guarded)
