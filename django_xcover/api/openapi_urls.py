"""The OpenAPI document: `path("xcover/api/v1/", include("django_xcover.api.openapi_urls"))`.

Serving it is optional, and doesn't need drf-spectacular: the document is a file of the package.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

app_name = "xcover_openapi"
FILE = Path(__file__).with_name("openapi.json")


@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    """Return the document, with the URL under which the shop has mounted the API."""
    mounted = reverse("xcover_api:offer").removesuffix("/offer/")
    response = JsonResponse({**_document(), "servers": [{"url": mounted}]})
    response["Content-Type"] = "application/vnd.oai.openapi+json;version=3.1"
    return response


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


# Anyone may read it: it has no personal data. The shop's LoginRequiredMiddleware leaves it alone.
openapi.login_required = False  # type: ignore[attr-defined]

urlpatterns = [path("openapi.json", openapi, name="openapi")]
