"""Search terms: staff find an ordered package by the start of any word that identifies it.

A table of terms with a plain index works on all three databases. PostgreSQL's trigrams need an
extension that not every shop can install, and the other databases have no equivalent. Quotes
without an order are not indexed, so that offers don't get slower.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from django.db.models import Q

from django_xcover.client.schemas.stored import StoredPolicyholder, read_package
from django_xcover.models import BOOKED, Quote, QuotePackage, SearchTerm
from django_xcover.models.package import LONGEST_TERM

# Staff don't read through a longer list; they narrow the search instead.
MOST = 500
# Shorter words must match a whole term, because too many terms start with them.
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
        *impersonal_terms_of(package, quote_ids),
        *_of_person(read_package(package.payload).policyholder),
        *_of_address(package.policyholder_email),
    }


def impersonal_terms_of(package: QuotePackage, quote_ids: Iterable[str] = ()) -> set[str]:
    """Return those of the terms that name the order and its cover, and not the policyholder."""
    return {
        *_beginnings(package.order_reference),
        package.package_id.lower(),
        *(quote_id.lower() for quote_id in quote_ids),
    }


def terms_if_booked(package: QuotePackage, quote_ids: Iterable[str]) -> set[str]:
    """Return the terms of a booking; empty until it is booked."""
    return terms_of(package, quote_ids) if package.status in BOOKED else set()


def add(package: QuotePackage, person: StoredPolicyholder | None = None) -> None:
    """Index `package` by its order and id, and by `person` until it is booked."""
    _insert(package, terms_of(package).union(_of_person(person) if person else ()))


def replace(package: QuotePackage, terms: set[str], quote_ids: Iterable[str] = ()) -> None:
    """Replace the indexed terms of `package` with `terms`; `quote_ids` as in `terms_of`."""
    mine = SearchTerm.objects.filter(package=package)
    impersonal = _cut(impersonal_terms_of(package, quote_ids))
    mine.exclude(term__in=_cut(terms)).delete()
    # An order reference can be the same word as a name was, or the other way round.
    mine.filter(term__in=impersonal, is_personal=True).delete()
    mine.filter(is_personal=False).exclude(term__in=impersonal).delete()
    _insert(package, terms, quote_ids)


def find(text: str, *, people: bool = True) -> list[int]:
    """Return the primary keys of the packages that match every word of `text`, newest first.

    Returns MOST at most. A word matches the start of a term, or a whole package or policy id.
    Without `people` no name and no e-mail address is searched: a match would reveal whose cover
    it is.
    """
    words = normalised(text).split()
    if not words:
        return []
    terms = SearchTerm.objects.all() if people else SearchTerm.objects.filter(is_personal=False)
    rows = terms.filter(_begins(words[0]))
    for word in words[1:]:
        rows = rows.filter(package__in=terms.filter(_begins(word)).values("package"))
    found = rows.order_by("-package_id").values_list("package_id", flat=True)
    return sorted({*found[:MOST], *_by_id(" ".join(words))}, reverse=True)[:MOST]


def _by_id(text: str) -> list[int]:
    """Return the packages with this id, including those without an order."""
    packages = QuotePackage.objects.filter(package_id__in=(text.upper(), f"{text.upper()}-INS"))
    quotes = Quote.objects.filter(quote_id=text.lower())
    return [*packages.values_list("pk", flat=True), *quotes.values_list("package_id", flat=True)]


def _begins(word: str) -> Q:
    if len(word) < SHORTEST_BEGINNING:
        return Q(term=word)
    # A range instead of LIKE: a plain index serves it on all three databases.
    return Q(term__gte=word, term__lt=word + HIGHEST)


def _insert(package: QuotePackage, terms: set[str], quote_ids: Iterable[str] = ()) -> None:
    impersonal = set(_cut(impersonal_terms_of(package, quote_ids)))
    rows = [
        SearchTerm(package=package, term=term, is_personal=term not in impersonal)
        for term in _cut(terms)
    ]
    SearchTerm.objects.bulk_create(rows, ignore_conflicts=True)


def _cut(terms: Iterable[str]) -> list[str]:
    return sorted({term[:LONGEST_TERM] for term in terms if term})


def _beginnings(text: str) -> Iterator[str]:
    """Yield the rest of `text` from the start of each of its words."""
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
