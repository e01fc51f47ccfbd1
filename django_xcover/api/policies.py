"""A shopper's policies, their documents and their instalments."""

from __future__ import annotations

from django.http import Http404
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.api.base import PolicyView, ShopView
from django_xcover.api.serializers.policies import (
    DetailsShape,
    MailShape,
    PageShape,
    ScheduleShape,
)
from django_xcover.overview import documents as mail
from django_xcover.overview import policies
from django_xcover.overview.instalments import schedule_of
from django_xcover.overview.policy import details
from django_xcover.policies import documents


class PoliciesView(ShopView):
    """The policies of the orders that the shop's adapter names for this request."""

    def get(self, request: Request) -> Response:
        """Return a page of them, the newest first: `?page=2`."""
        text = request.query_params.get("page", "1")
        # At most a million pages: a longer number is none, and too big for the database.
        if not (text.isascii() and text.isdecimal() and len(text) < 7):
            raise Http404
        return self.shown(PageShape, policies.policies(self.http, page=int(text)))


class DetailsView(PolicyView):
    """One policy."""

    def get(self, request: Request, quote_id: str) -> Response:
        """Return everything that is going on with it. No call to XCover."""
        return self.shown(DetailsShape, details(self.policy()))


class DocumentView(ShopView):
    """A document of a policy, or a page about it, at XCover."""

    def get(self, request: Request, quote_id: str, kind: str) -> Response:
        """Return its `url`: a bearer link, to be opened at once and kept nowhere."""
        url = documents.document_url(self.http, quote_id, kind)
        return Response({"url": url}, headers={"Referrer-Policy": "no-referrer"})


class EmailView(PolicyView):
    """The e-mail with a policy's documents."""

    def get(self, request: Request, quote_id: str) -> Response:
        """Return what became of it; 404 while there are no documents."""
        found = mail.mail_of(self.policy())
        if found is None:
            raise Http404
        return self.shown(MailShape, found)

    def post(self, request: Request, quote_id: str) -> Response:
        """Have it sent again, to the address on record; 202. 429 when that was done recently."""
        return self.shown(MailShape, mail.send(self.policy()), code=status.HTTP_202_ACCEPTED)


class InstalmentsView(PolicyView):
    """The schedule of a policy that is paid in parts."""

    def get(self, request: Request, quote_id: str) -> Response:
        """Return what is paid and what is to come; 404 for a policy that was paid at once."""
        schedule = schedule_of(self.policy())
        if schedule is None:
            raise Http404
        return self.shown(ScheduleShape, schedule)
