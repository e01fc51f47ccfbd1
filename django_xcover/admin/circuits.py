"""Letting the next call try whether XCover is back, without waiting for the cool-down."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from django_xcover.conf import get_config
from django_xcover.models import AccountPause, Operation
from django_xcover.services import breaker

logger = logging.getLogger(__name__)


def try_now(model_admin: ModelAdmin[Operation], request: HttpRequest, account: str) -> HttpResponse:
    """Let the next call of `account` try, for those who may retry operations."""
    may = request.user.has_perm("xcover.retry_operation")
    if not (may and model_admin.has_view_permission(request)):
        raise PermissionDenied
    if account not in get_config().accounts:
        raise Http404(_("There is no such account."))
    if breaker.try_now(account):
        told = _("The next call tries whether XCover is back (%(account)s).")
        messages.success(request, told % {"account": account})
        _log(request, account, told % {"account": account})
    else:
        messages.warning(request, _("%(account)s: its circuit is not open.") % {"account": account})
    return HttpResponseRedirect(reverse("admin:xcover_status"))


def _log(request: HttpRequest, account: str, told: str) -> None:
    logger.warning("User %s lets the next call try (%s).", request.user.pk, account)
    # An account is no row, so the entry leads nowhere.
    LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type=ContentType.objects.get_for_model(AccountPause),
        object_repr=account,
        action_flag=CHANGE,
        change_message=told,
    )
