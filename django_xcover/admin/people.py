"""Members of staff, who are on record by the key of their user."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError


def names_of(keys: Iterable[str]) -> dict[str, str]:
    """Return the user names for `keys`, in one query; a user who is gone keeps the key."""
    wanted = {key for key in keys if key}
    if not wanted:
        return {}
    users = get_user_model()._default_manager
    try:
        found = {str(user.pk): user.get_username() for user in users.filter(pk__in=wanted)}
    except (ValueError, ValidationError):  # keys of another user model
        found = {}
    return {key: found.get(key, key) for key in wanted}


def name_of(key: str) -> str:
    """Return the user name for `key`, "" for none."""
    return names_of([key]).get(key, "")
