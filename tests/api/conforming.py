"""Compare each answer of the API with its OpenAPI document."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from django_xcover.api.openapi_urls import FILE

DOCUMENT = json.loads(FILE.read_text(encoding="utf-8"))
HERE = "urn:openapi"


def check(method: str, path: str, response: Any) -> None:
    """Raise AssertionError unless the document has this answer to this request.

    `path` is below the API's URL.
    """
    operation = _operation(method, path.partition("?")[0])
    if operation is None:
        return
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, (operation["operationId"], response.status_code)
    for name in described.get("headers", {}):
        assert name in response.headers, (operation["operationId"], name)
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    contents = described.get("content", {})
    assert kind in contents if response.content else not contents, kind
    if response.content:
        errors = _validator(json.dumps(contents[kind]["schema"])).iter_errors(response.json())
        assert [(error.json_path, error.message) for error in errors] == []


def _operation(method: str, path: str) -> Any:
    for template, operations in DOCUMENT["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, f"/{path}") and method in operations:
            return operations[method]
    return None


@cache
def _validator(schema: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource(HERE, DRAFT202012.create_resource(DOCUMENT))
    return Draft202012Validator(
        json.loads(schema.replace('"#/', f'"{HERE}#/')),
        registry=registry,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
