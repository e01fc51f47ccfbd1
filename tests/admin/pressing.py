"""Pressing the buttons of the admin's pages."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client

TOKEN = re.compile(r'value="[A-Za-z0-9]{64}"')


def messages_of(answer: Any) -> list[str]:
    """Return the messages that the answer leaves for the user."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


def action_url(row: Model, action: str) -> str:
    """Return where the form of `action` on the page of `row` posts to."""
    return f"/admin/xcover/{row._meta.model_name}/{row.pk}/{action}/"


def page_url(row: Model) -> str:
    """Return the page of `row`."""
    return f"/admin/xcover/{row._meta.model_name}/{row.pk}/change/"


def do(client: Client, row: Model, action: str, **data: Any) -> Any:
    """Send the form of `action` on the page of `row`."""
    return client.post(action_url(row, action), data)


def page_of(client: Client, row: Model) -> str:
    """Return the page of `row` as text."""
    return text_at(client, page_url(row))


def text_at(client: Client, address: str) -> str:
    """Return the page, without the tokens in it: in 64 letters by chance any name is found."""
    page: str = client.get(address).content.decode()
    return TOKEN.sub('value=""', page).replace("&#x27;", "'")
