"""The view that receives XCover's webhooks."""

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


# Not atomic, so that the row is committed before the 200 is sent. No login or CSRF token: XCover
# signs its requests instead.
@clears_frames
@non_atomic_requests
@csrf_exempt
@login_not_required
def receive(request: HttpRequest, account: str = DEFAULT_ACCOUNT) -> HttpResponse:
    """Return 200 once stored; 400 if invalid, 404 for an unknown account, 405 unless a POST."""
    if request.method != "POST":
        response: HttpResponse = HttpResponseNotAllowed(["POST"])
        return _refused(request, response, "", Reason.METHOD, "The request is not a POST.")
    try:
        webhooks.receive(request, account)
    except NoSuchReceiver as error:
        # Anyone can request a made-up URL; a signed request to one is most likely XCover's.
        reason = error.reason if request.headers.get("Authorization") else Reason.UNSIGNED
        return _refused(request, HttpResponseNotFound(), "", reason, str(error))
    except WebhookRefused as refusal:
        response = HttpResponseBadRequest()
        return _refused(request, response, account, refusal.reason, str(refusal))
    return HttpResponse()


def _refused(
    request: HttpRequest, response: HttpResponse, account: str, reason: Reason, message: str
) -> HttpResponse:
    """Count the refusal and log one line, instead of Django's line with a traceback."""
    webhooks.count_refusal(account, reason)
    # Django doesn't log a response again that has gone through `log_response`.
    log_response(
        "Refused a webhook (%s): %s",
        response.status_code,
        message,
        response=response,
        request=request,
        logger=logger,
    )
    return response
