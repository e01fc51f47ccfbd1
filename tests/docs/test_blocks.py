"""Every code block of the pages runs, or is what it says it is."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.bin.celery import celery
from django.core.management import get_commands, load_command_class
from django.http import HttpRequest
from django.template import engines
from werkzeug.test import Client

from django_xcover.checks import check_settings
from django_xcover.client.retry import RetryPolicy
from django_xcover.conf import get_config
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.server import serve
from tests.docs.pages import DOCS, PAGES, README, ROOT, Block, all_blocks, blocks
from tests.docs.shop import Cart, namespace

LANGUAGES = {"console", "css", "html+django", "js", "json", "python", "text"}
# These pages have tests of their own, which need more than a namespace.
OSCAR = DOCS / "oscar.md"  # its shop is that of tests/oscar/project
RUN_ELSEWHERE = {README, DOCS / "testing.md", OSCAR}
PYTHON_PAGES = [
    page
    for page in PAGES
    if page not in RUN_ELSEWHERE and any(block.language == "python" for block in blocks(page))
]
SETTINGS = [
    block for block in all_blocks("python") if "\nXCOVER = " in block.text and block.page != OSCAR
]
TEMPLATES = [block for block in all_blocks("html+django") if block.page != OSCAR]
EXCERPTS = [block for block in all_blocks("python") if block.source]
LINES = [line for block in all_blocks("console") for line in block.text.splitlines()]
RequestWith = Callable[[Cart], HttpRequest]
NAMED: dict[str, Any] = {"ids": lambda block: block.name}


def test_every_block_is_in_a_language_that_is_tested() -> None:
    strange = [
        block.name for page in PAGES for block in blocks(page) if block.language not in LANGUAGES
    ]

    assert strange == []


def test_blocks_that_cannot_be_run_are_rare() -> None:
    excused = [block.name for page in PAGES for block in blocks(page) if block.excuse]

    assert len(excused) <= 2


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=lambda page: page.name)
@pytest.mark.django_db
def test_the_python_of_a_page_runs_from_top_to_bottom(
    page: Path, environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(partner_code="ACME1", api_key="key", api_secret="secret")
    with serve(sandbox) as url:
        monkeypatch.setenv("XCOVER_BASE_URL", f"{url}/x")
        # What a page asks for may fail; it is not asked for again after a wait.
        monkeypatch.setattr(RetryPolicy, "wait", lambda *_: 0.0)
        names = {**namespace(), "__name__": page.stem}
        for block in blocks(page):
            if block.language == "python" and not (block.source or block.excuse):
                exec(block.code(), names)  # noqa: S102 - the page is what is tested


@pytest.mark.parametrize("block", SETTINGS, **NAMED)
def test_every_xcover_setting_shown_passes_the_checks(
    block: Block, myshop: dict[str, Any], settings: Any
) -> None:
    names: dict[str, Any] = {"os": os}
    exec(block.code(), names)  # noqa: S102 - the page is what is tested
    settings.XCOVER = names["XCOVER"]

    assert check_settings() == []
    assert "default" in get_config().accounts


@pytest.mark.parametrize("block", EXCERPTS, **NAMED)
def test_an_excerpt_says_what_its_file_says(block: Block) -> None:
    assert block.text in (ROOT / block.source).read_text()


@pytest.mark.parametrize("block", TEMPLATES, **NAMED)
@pytest.mark.django_db
def test_every_template_renders(
    block: Block, myshop: dict[str, Any], request_with: RequestWith
) -> None:
    cart = Cart()
    request = request_with(cart)
    request.user = SimpleNamespace(is_authenticated=False)  # type: ignore[assignment]
    order = myshop["Order"].objects.create(cart=cart, total=cart.total)

    page = (
        engines["django"]
        .from_string(block.text)
        .render({"cart": cart, "order": order, "product": cart.lines.all()[0].product}, request)
    )

    assert "{%" not in page
    assert "xcover-offer" in page or "xcover_offer" not in block.text


@pytest.mark.parametrize("line", LINES)
def test_every_command_exists(line: str) -> None:
    for command in line.split(" && "):
        words = shlex.split(command)
        COMMANDS[words[0]](words)


def test_the_curl_commands_do_what_the_page_says(xcover_sandbox: Sandbox) -> None:
    browser = Client(xcover_sandbox.wsgi_app)

    answers = [_curl(browser, shlex.split(line)) for line in LINES if line.startswith("curl ")]

    statuses = [answer.status_code for answer in answers]
    assert statuses == [200, 200, 200, 201, 201, 201, 200, 204, 200, 200, 200, 200, 200, 201]
    assert [fault["kind"] for fault in answers[6].json] == ["hang", "status", "process_then_reset"]


@pytest.mark.parametrize("block", all_blocks("js"), **NAMED)
def test_every_script_parses(block: Block, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is installed to parse JavaScript with")
    script = tmp_path / "block.js"
    script.write_text(block.text)

    done = subprocess.run([node, "--check", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def _curl(browser: Client, words: list[str]) -> Any:
    """Send what a curl command would send."""
    method = words[words.index("-X") + 1] if "-X" in words else None
    data = words[words.index("-d") + 1] if "-d" in words else None
    if data is not None:
        json.loads(data)
    address = words[-1]
    assert address.startswith("http://127.0.0.1:8700/")
    return browser.open(address, method=method or ("POST" if data else "GET"), data=data)


def _pip(words: list[str]) -> None:
    """Check that each extra of ours exists."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [word for word in words[2:] if "django-xcover[" in word or word.startswith(".[")]
    named = (word.partition("[")[2].partition("]")[0] for word in wanted)
    extras = {extra for names in named for extra in names.split(",")}
    assert extras <= set(project["optional-dependencies"])


def _python(words: list[str]) -> None:
    """Check that the command of manage.py exists and takes these flags."""
    if words[1] == "-m":
        ours = ROOT / words[2].replace(".", "/") / "__main__.py"
        assert words[2] == "venv" or ours.exists()
        return
    assert (ROOT / words[1]).name == "manage.py"
    name = words[2]
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(words[3:])


def _celery(words: list[str]) -> None:
    """Check that Celery has the command, with its options."""
    subcommand = celery.commands[words[3]]
    known = {name for option in subcommand.params for name in option.opts}
    assert {word for word in words[4:] if word.startswith("--")} <= known


def _nothing_to_check(words: list[str]) -> None:
    """Commands of the system, and those that other tests carry out."""


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "pip": _pip,
    "python": _python,
    "python3": _python,
    "celery": _celery,
    "curl": _nothing_to_check,
    "pytest": _nothing_to_check,
    "pre-commit": _nothing_to_check,
    ".": _nothing_to_check,
    "cd": _nothing_to_check,
    "git": _nothing_to_check,
}
