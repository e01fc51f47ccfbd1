"""The figures on the sandbox's page are the measured ones."""

from __future__ import annotations

from tests.conformance.recordings import FILES, NEEDED
from tests.conformance.replay import replayed
from tests.conformance.trees import fields
from tests.docs.pages import DOCS

pytestmark = NEEDED


def test_the_page_says_how_many_recorded_answers_and_fields_come_back() -> None:
    played = [exchange for path in FILES for exchange, _ in replayed(path)]
    pairs = [(fields(one.recorded["body"]), fields(one.body)) for one in played]
    recorded = sum(len(theirs) for theirs, _ in pairs)
    same = sum(ours.get(name) == kind for theirs, ours in pairs for name, kind in theirs.items())
    statuses = sum(one.ours.status_code == one.recorded["status"] for one in played)

    text = " ".join((DOCS / "sandbox.md").read_text().split())

    assert f"{len(played)} calls in {len(FILES)} files. Replayed, all {statuses} get" in text
    assert f"Of the {recorded:,} fields in the recorded answers {same:,} come back" in text
