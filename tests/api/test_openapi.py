"""The OpenAPI document: current, valid, complete and served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path
from drf_spectacular import drainage
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.settings import api_settings

from django_xcover.api.openapi_urls import FILE
from tests.api.conftest import ROOT
from tests.security.walking import addresses
from tests.tools import openapi

DOCUMENT = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Fail if drf-spectacular warns of anything."""
    drainage.reset_generator_stats()
    yield
    said = drainage.GENERATOR_STATS
    assert (dict(said._warn_cache), dict(said._error_cache)) == ({}, {})


def test_the_file_is_current() -> None:
    assert openapi.text() == FILE.read_text(encoding="utf-8"), (
        "Run `python -m tests.tools.openapi`."
    )


def test_the_document_is_valid_openapi() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    validate_schema(DOCUMENT)


def test_every_address_of_the_api_is_in_the_document(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.api.shopfront"
    names = {"quote_id": "{quote_id}", "pk": "{id}", "kind": "{kind}", "reference": "{reference}"}
    mounted = {address.removeprefix(ROOT[:-1]) for address in addresses(names, below=ROOT)}

    assert set(DOCUMENT["paths"]) == mounted - {"/"}


def test_every_success_with_a_body_has_a_named_shape() -> None:
    for operation in _operations():
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                assert "$ref" in content["schema"], (operation["operationId"], status)


def test_the_shops_own_document_describes_the_api_without_warnings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from drf_spectacular.openapi import AutoSchema

    monkeypatch.setattr(api_settings, "DEFAULT_SCHEMA_CLASS", AutoSchema, raising=False)
    patterns = [path("xcover/api/v1/", include("django_xcover.api.urls"))]

    document = SchemaGenerator(patterns=patterns).get_schema(public=True)

    validate_schema(document)
    assert set(document["paths"]) == {ROOT[:-1] + path for path in DOCUMENT["paths"]}
    names = document["components"]["schemas"]
    assert [name for name in names if not name.startswith("XCover")] == []


def test_the_document_is_served_with_the_address_of_the_api(client: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.api.described_shopfront"

    response = client.get(f"{ROOT}openapi.json")

    assert response["Content-Type"] == "application/vnd.oai.openapi+json;version=3.1"
    assert response.json() == {**DOCUMENT, "servers": [{"url": ROOT[:-1]}]}


def _operations() -> Iterator[Any]:
    for methods in DOCUMENT["paths"].values():
        yield from methods.values()
