"""Country, currency and language."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST

from example_shop.forms import keep_details
from example_shop.markets import choose_market
from example_shop.middleware import ShopRequest


@require_POST
def save(request: ShopRequest) -> HttpResponse:
    """Store the choices and redirect back to the page."""
    choose_market(request.session, request.POST.get("country", ""))
    keep_details(request.session, request.POST)
    response = redirect(_way_back(request))
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES) and check_for_language(language):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, samesite="Lax")
    return response


def _way_back(request: ShopRequest) -> str:
    url = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure())
    return url if safe else "/"
