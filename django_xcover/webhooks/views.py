"""Where XCover posts its webhooks."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from django_xcover.conf import DEFAULT_ACCOUNT
from django_xcover.services import webhooks


# Not atomic: what is answered with 200 has been committed. No login and no CSRF token: XCover is
# no browser, and its signature stands for both. What is refused raises, and Django answers.
@non_atomic_requests
@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, account: str = DEFAULT_ACCOUNT) -> HttpResponse:
    """Take a webhook: 200 once it is stored, 400 for whom it does not prove, 404 for whom not."""
    webhooks.receive(request, account)
    return HttpResponse()
