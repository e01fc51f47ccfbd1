"""Write django_xcover/api/openapi.json from the code: `python -m tests.tools.openapi`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

SETTINGS: Mapping[str, Any] = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "django-xcover",
    "DESCRIPTION": "Cover from XCover for a shop's cart and orders. See docs/api.md.",
    "VERSION": "1",
    "TAGS": [{"name": "xcover"}],
    "SCHEMA_PATH_PREFIX": "",
    "POSTPROCESSING_HOOKS": [],
    "PREPROCESSING_HOOKS": [],
}


def document() -> dict[str, Any]:
    """Return the OpenAPI document. Its paths are relative to where the API is mounted."""
    # The first import needs Django's settings.
    from django.utils.translation import override
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.settings import patched_settings

    from django_xcover.api import urls
    from django_xcover.api.openapi import Inspector

    class Unprefixed(Inspector):
        prefix = ""

    class Generator(SchemaGenerator):
        def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
            view = super().create_view(callback, method, request)  # type: ignore[no-untyped-call]
            view.authentication_classes = ()  # only the session, which needs no setting
            view.schema = Unprefixed()
            return view

    with patched_settings(dict(SETTINGS)), override("en"):
        generator = Generator(patterns=urls.urlpatterns)  # type: ignore[no-untyped-call]
        return dict(json.loads(json.dumps(generator.get_schema(public=True))))  # type: ignore[no-untyped-call]


def text() -> str:
    """Return the document as the text of its file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django_xcover.api.openapi_urls import FILE

    FILE.write_text(text(), encoding="utf-8")
