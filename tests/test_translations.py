"""The catalogues that are shipped."""

from __future__ import annotations

import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tests import translations

CATALOGUES = list(translations.sources())
LANGUAGES = {"ar", "de", "es", "fr", "it", "ja", "pt_BR"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@pytest.mark.parametrize("source", CATALOGUES, ids=str)
def test_the_compiled_catalogue_says_what_its_source_says(source: Path) -> None:
    with source.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for message in translations.read(source):
        if message.id and message.string and isinstance(message.id, str):
            found = (
                compiled.pgettext(message.context, message.id)
                if message.context
                else (compiled.gettext(message.id))
            )
            assert found == message.string


@pytest.mark.parametrize("source", CATALOGUES, ids=str)
def test_every_sentence_is_translated_and_none_is_fuzzy(source: Path) -> None:
    catalogue = translations.read(source)

    untranslated = [m.id for m in catalogue if m.id and not all(_strings(m.string))]
    assert untranslated == []
    assert [message.id for message in catalogue if message.fuzzy and message.id] == []


@pytest.mark.parametrize("source", CATALOGUES, ids=str)
def test_no_translation_loses_a_placeholder(source: Path) -> None:
    for message in translations.read(source):
        if isinstance(message.id, str) and message.id:
            wanted = sorted(PLACEHOLDER.findall(message.id))
            assert sorted(PLACEHOLDER.findall(str(message.string))) == wanted, message.id


@pytest.mark.parametrize("app", ["django_xcover", "example_shop"])
def test_the_catalogue_has_every_sentence_of_the_code(app: str, tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        pytest.skip("gettext is not installed")
    copy = tmp_path / app
    shutil.copytree(translations.ROOT / app, copy)
    command = [sys.executable, "-P", "-m", "django", "makemessages", "-l", "de", "--no-obsolete"]
    # Without this project's settings, which are not there for a copy of one app.
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=copy, env=env, check=True, capture_output=True)

    with (copy / "locale/de/LC_MESSAGES/django.po").open("rb") as file:
        needed = {message.id for message in read_po(file, locale="de") if message.id}
    shipped = translations.read(translations.ROOT / app / "locale/de/LC_MESSAGES/django.po")
    assert needed - {message.id for message in shipped} == set()


@pytest.mark.parametrize("app", ["django_xcover", "example_shop"])
def test_every_language_has_the_same_sentences(app: str) -> None:
    catalogues = {
        source.parts[-3]: {(message.id, message.context) for message in translations.read(source)}
        for source in CATALOGUES
        if app in source.parts
    }

    assert set(catalogues) == LANGUAGES
    assert {name for name, ids in catalogues.items() if ids != catalogues["de"]} == set()


def _strings(string: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [string or ""] if string is None or isinstance(string, str) else list(string)
