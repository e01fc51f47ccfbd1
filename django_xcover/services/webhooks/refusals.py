"""Why a webhook is not taken. Django answers with the status that the type stands for."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import Http404


class WebhookRefused(BadRequest):
    """The request proves no sender, or carries nothing that can be kept: 400.

    No SuspiciousOperation, which would mail the admins for each. `str()` is for the log and holds
    no value from the request.
    """


class NoSuchReceiver(Http404):
    """The account in the URL does not exist, or has no WEBHOOK_SECRETS: 404."""
