"""The shop in German."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from babel.messages import Catalog, mofile, pofile

import example_shop
from tests.example_shop.conftest import Shopper

FOLDER = Path(example_shop.__file__).parent / "locale/de/LC_MESSAGES"


def test_every_sentence_is_translated_and_compiled() -> None:
    with (FOLDER / "django.po").open("rb") as text, (FOLDER / "django.mo").open("rb") as compiled:
        written = sentences(pofile.read_po(text, locale="de"))
        shipped = sentences(mofile.read_mo(compiled))

    assert all(target and all(target) for target in written.values())
    assert shipped == written


def sentences(catalog: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return the translations, singular and plural, by what they translate."""
    return {forms(message.id): forms(message.string) for message in catalog if message.id}


def forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def test_money_and_days_are_written_as_germans_do(shopper: Shopper) -> None:
    shopper.client.post("/preferences/", {"language": "de", "country": "DE"})

    page = shopper.opens("/").content.decode()

    assert "1.399,00\xa0€" in page
    assert "Demnächst" in page
