"""Staff see what customers stated, and cannot change it."""

from __future__ import annotations

import pytest
from django.test import Client

from django_xcover.models import Withdrawal
from django_xcover.testing.factories import CancellationFactory, WithdrawalFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def stated() -> Withdrawal:
    return WithdrawalFactory.create(
        cancellation=CancellationFactory.create(
            package__two_quotes=True, package__order_reference="SH-1"
        ),
        channel=Withdrawal.Channel.LINK,
        name="Ana Costa",
        email="ana@example.net",
        language="en",
        statement="I withdraw from the contract for <b>my</b> cover.",
    )


def test_the_list_shows_when_it_arrived_by_which_door_and_whether_the_receipt_went_out(
    viewer: Client, stated: Withdrawal
) -> None:
    page = viewer.get("/admin/xcover/withdrawal/", {"q": "SH-1"}).content.decode()

    assert "SH-1" in page
    assert "guest link" in page
    assert "not sent" in page


def test_the_page_shows_the_words_and_takes_no_change(viewer: Client, stated: Withdrawal) -> None:
    path = f"/admin/xcover/withdrawal/{stated.pk}/change/"

    page = viewer.get(path).content.decode()

    assert "for &lt;b&gt;my&lt;/b&gt; cover." in page
    assert viewer.post(path, {"statement": "Nothing"}).status_code == 403
    assert viewer.post(f"/admin/xcover/withdrawal/{stated.pk}/delete/").status_code == 403
