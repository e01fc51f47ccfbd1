"""A site that a test serves leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread
from time import sleep
from typing import Any

import pytest
import requests
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.serving import serving


class Page:
    """A page that is answered when `go` is set."""

    def __init__(self) -> None:
        self.asked, self.go, self.answered = Event(), Event(), Event()

    def is_answered_after(self, url: str) -> None:
        """Wait until the site takes no more requests, and a little longer."""
        with suppress(requests.ConnectionError):
            while True:
                requests.get(f"{url}/missing/", timeout=30)
        sleep(0.2)
        self.go.set()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.asked.set()
        assert self.go.wait(30)
        self.answered.set()
        return HttpResponse("At last.")


@pytest.fixture
def page(settings: Any) -> Iterator[Page]:
    """Return the only page of the site."""
    page = Page()
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = (path("", page),)
    yield page
    page.go.set()


def test_a_site_ends_after_the_requests_that_nobody_waits_for(page: Page) -> None:
    with serving() as url:
        with pytest.raises(requests.Timeout):
            requests.get(url, timeout=0.05)
        assert page.asked.wait(30)
        Thread(target=page.is_answered_after, args=(url,)).start()

    assert page.answered.is_set()


def test_a_site_ends_though_a_browser_keeps_its_connection(page: Page) -> None:
    page.go.set()
    with requests.Session() as browser:
        with serving() as url:
            assert browser.get(url).text == "At last."

        with pytest.raises(requests.ConnectionError):
            browser.get(url)
