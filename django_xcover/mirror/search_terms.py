"""What staff find an order's package by: the beginning of any word of what names it.

One table of terms and one plain index, which all three databases have; PostgreSQL's trigrams would
need an extension that not every shop may install, and the others have nothing like them. Quotes
that nobody has ordered are not in it: writing it must not make offers slower.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from django.db.models import Q

from django_xcover.client.schemas.stored import StoredPolicyholder, read_package
from django_xcover.models import BOOKED, Quote, QuotePackage, SearchTerm
from django_xcover.models.search import LONGEST_TERM

# Of more than this nobody looks through the list: they type another word.
MOST = 500
# Fewer letters than this are compared as a whole: they begin too many words.
SHORTEST_BEGINNING = 3
WORD = re.compile(r"[^\W_]+")
HIGHEST = "\U0010ffff"


def normalised(text: str) -> str:
    """Return `text` in lower case, without accents and control characters."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (char for char in decomposed if unicodedata.category(char) not in {"Mn", "Cc", "Cs"})
    return "".join(kept)


def terms_of(package: QuotePackage, quote_ids: Iterable[str] = ()) -> set[str]:
    """Return the terms of an ordered package; `quote_ids` are those of its policies.

    By its columns only: a migration hands in rows without the model's properties.
    """
    return {
        *_beginnings(package.order_reference),
        package.package_id.lower(),
        *(quote_id.lower() for quote_id in quote_ids),
        *_of_person(read_package(package.payload).policyholder),
        *_of_address(package.policyholder_email),
    }


def terms_if_booked(package: QuotePackage, quote_ids: Iterable[str]) -> set[str]:
    """Return the terms of a booking, none while it is not booked."""
    return terms_of(package, quote_ids) if package.status in BOOKED else set()


def add(package: QuotePackage, person: StoredPolicyholder | None = None) -> None:
    """Let `package` be found by its order and id, and by `person` while it is not booked."""
    _insert(package, terms_of(package).union(_of_person(person) if person else ()))


def replace(package: QuotePackage, terms: set[str]) -> None:
    """Let `package` be found by `terms` and by nothing else."""
    SearchTerm.objects.filter(package=package).exclude(term__in=_cut(terms)).delete()
    _insert(package, terms)


def find(text: str) -> list[int]:
    """Return the keys of the packages that each word of `text` finds, the newest first.

    MOST at most. Each word is the beginning of a term, or a whole package or policy id.
    """
    words = normalised(text).split()
    if not words:
        return []
    rows = SearchTerm.objects.filter(_begins(words[0]))
    for word in words[1:]:
        rows = rows.filter(package__in=SearchTerm.objects.filter(_begins(word)).values("package"))
    found = rows.order_by("-package_id").values_list("package_id", flat=True)
    return sorted({*found[:MOST], *_by_id(" ".join(words))}, reverse=True)[:MOST]


def _by_id(text: str) -> list[int]:
    """Return the packages with this id, also those that nobody has ordered."""
    packages = QuotePackage.objects.filter(package_id__in=(text.upper(), f"{text.upper()}-INS"))
    quotes = Quote.objects.filter(quote_id=text.lower())
    return [*packages.values_list("pk", flat=True), *quotes.values_list("package_id", flat=True)]


def _begins(word: str) -> Q:
    if len(word) < SHORTEST_BEGINNING:
        return Q(term=word)
    # A range and no LIKE: of the three databases only this is served by one plain index.
    return Q(term__gte=word, term__lt=word + HIGHEST)


def _insert(package: QuotePackage, terms: set[str]) -> None:
    rows = [SearchTerm(package=package, term=term) for term in _cut(terms)]
    SearchTerm.objects.bulk_create(rows, ignore_conflicts=True)


def _cut(terms: Iterable[str]) -> list[str]:
    return sorted({term[:LONGEST_TERM] for term in terms if term})


def _beginnings(text: str) -> Iterator[str]:
    """Yield `text` from each of its words on."""
    text = normalised(text)
    yield text
    for word in WORD.finditer(text):
        yield text[word.start() :]


def _of_person(person: StoredPolicyholder) -> Iterator[str]:
    yield from _beginnings(person.first_name)
    yield from _beginnings(person.last_name)
    yield from _of_address(person.email)


def _of_address(address: str) -> Iterator[str]:
    local, at, domain = normalised(address).partition("@")
    for beginning in _beginnings(local):
        yield beginning + at + domain
    yield domain
