"""Who may see a page, and how its answers are kept from others.

None of these views runs in the shop's `ATOMIC_REQUESTS` transaction: a preview asks XCover, and no
transaction is held open meanwhile.
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
    """Let a page be kept by no cache, and what is sent to it by no error report.

    A guest may see a policy, too, when the adapter says so: no login is required.
    """
    hidden = sensitive_post_parameters()(never_cache(vary_on_cookie(view)))
    return clears_frames(login_not_required(non_atomic_requests(hidden)))


def shows(view: PolicyView[P]) -> GuardedView[P]:
    """Give a view that only shows something the shopper's own policy; others get 404."""
    return private(require_safe(_own(view)))


def acts(view: PolicyView[P]) -> GuardedView[P]:
    """Give a view that does something the shopper's own policy; others get 404. POST only."""
    return private(require_POST(_own(view)))


def asks_and_acts(view: PolicyView[P]) -> GuardedView[P]:
    """Give a view with a form of its own the shopper's own policy; others get 404."""
    return private(require_http_methods(["GET", "HEAD", "POST"])(_own(view)))


def _own(view: PolicyView[P]) -> GuardedView[P]:
    @wraps(view)
    def guarded(
        request: HttpRequest, quote_id: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        try:
            quote = own_policy(request, quote_id)
        except PolicyMissing as missing:
            # As for a policy that does not exist: whether it does is nobody else's business.
            raise Http404 from missing
        return view(request, quote, *args, **kwargs)

    return cast("GuardedView[P]", guarded)
