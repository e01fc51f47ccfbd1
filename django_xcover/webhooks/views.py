"""Where XCover posts its webhooks."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db.transaction import non_atomic_requests
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseNotAllowed,
    HttpResponseNotFound,
)
from django.utils.log import log_response
from django.views.decorators.csrf import csrf_exempt

from django_xcover.conf import DEFAULT_ACCOUNT
from django_xcover.sync import webhooks
from django_xcover.sync.webhooks import NoSuchReceiver, Reason, WebhookRefused
from django_xcover.tracebacks import clears_frames

logger = logging.getLogger("django_xcover.webhooks")


# Not atomic: what is answered with 200 has been committed. No login and no CSRF token: XCover is
# no browser, and its signature stands for both.
@clears_frames
@non_atomic_requests
@csrf_exempt
@login_not_required
def receive(request: HttpRequest, account: str = DEFAULT_ACCOUNT) -> HttpResponse:
    """Take a webhook: 200 once it is stored, 400, 404 or 405 for one that is refused."""
    if request.method != "POST":
        answer: HttpResponse = HttpResponseNotAllowed(["POST"])
        return _refused(request, answer, "", Reason.METHOD, "It is no POST.")
    try:
        webhooks.receive(request, account)
    except NoSuchReceiver as none:
        # Anybody can make up an address; a signed request to one is most likely XCover's.
        reason = none.reason if request.headers.get("Authorization") else Reason.UNSIGNED
        return _refused(request, HttpResponseNotFound(), "", reason, str(none))
    except WebhookRefused as refusal:
        answer = HttpResponseBadRequest()
        return _refused(request, answer, account, refusal.reason, str(refusal))
    return HttpResponse()


def _refused(
    request: HttpRequest, answer: HttpResponse, account: str, reason: Reason, why: str
) -> HttpResponse:
    """Count the refusal and write one line to the log, in place of Django's and its traceback."""
    webhooks.count_refusal(account, reason)
    # Django writes no second line about a response that has been logged.
    log_response(
        "A webhook was refused (%s): %s",
        answer.status_code,
        why,
        response=answer,
        request=request,
        logger=logger,
    )
    return answer
