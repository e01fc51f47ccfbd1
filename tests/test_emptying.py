"""After a test that commits the database is as `migrate` left it."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import TransactionTestCase

from django_xcover.testing.factories import WithdrawalFactory
from tests.emptying import empty

pytestmark = pytest.mark.django_db(transaction=True)


def filled() -> set[str]:
    """Return the names of the models that have rows."""
    return {model.__name__ for model in apps.get_models() if model._default_manager.exists()}


@pytest.fixture(autouse=True)
def _as_migrate_left_it() -> None:
    empty(TransactionTestCase())
    assert filled() == {"ContentType", "Permission"}


def test_no_row_is_left() -> None:
    WithdrawalFactory.create()
    user = User.objects.create_superuser("root")
    user.user_permissions.set(Permission.objects.all())
    assert len(filled()) > 5

    empty(TransactionTestCase())

    assert filled() == {"ContentType", "Permission"}
    assert not User.user_permissions.through.objects.exists()


def test_what_migrate_made_is_made_again() -> None:
    before = set(Permission.objects.values_list("codename", flat=True))
    Permission.objects.filter(codename__startswith="view").delete()
    kind = ContentType.objects.get_for_model(User)
    Permission.objects.create(codename="fly", name="May fly", content_type=kind)

    empty(TransactionTestCase())

    assert set(Permission.objects.values_list("codename", flat=True)) == before
