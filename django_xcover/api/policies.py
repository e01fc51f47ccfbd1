"""A shopper's policies, their documents and their instalments."""

from __future__ import annotations

from django.http import Http404
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.api.base import PolicyView, ShopView
from django_xcover.api.description import describes
from django_xcover.api.serializers.policies import (
    EmailShape,
    LinkShape,
    PolicyListShape,
    PolicyShape,
    ScheduleShape,
)
from django_xcover.overview import documents as mail
from django_xcover.overview import policies
from django_xcover.overview.instalments import schedule_of
from django_xcover.overview.policy import details
from django_xcover.policies import documents


class PoliciesView(ShopView):
    """The policies of the orders that the adapter returns for this request."""

    @describes(
        "listPolicies",
        {200: PolicyListShape},
        query={
            "page": {
                "type": "integer",
                "minimum": 1,
                "maximum": 999_999,
                "default": 1,
                "description": "The number of the page.",
            }
        },
    )
    def get(self, request: Request) -> Response:
        """Return one page (`?page=2`), newest first."""
        text = request.query_params.get("page", "1")
        # At most six digits: a longer number would overflow the database's OFFSET.
        if not (text.isascii() and text.isdecimal() and len(text) < 7):
            raise Http404
        return self.respond(PolicyListShape, policies.policies(self.http, page=int(text)))


class DetailsView(PolicyView):
    """One policy."""

    @describes("getPolicy", {200: PolicyShape})
    def get(self, request: Request, quote_id: str) -> Response:
        """Return the policy with its current workflows. Doesn't call XCover."""
        return self.respond(PolicyShape, details(self.policy()))


class DocumentView(ShopView):
    """The link to a policy's document or page at XCover."""

    @describes("getDocument", {200: LinkShape})
    def get(self, request: Request, quote_id: str, kind: str) -> Response:
        """Return its `url`: a bearer link, to be opened at once and not stored."""
        url = documents.document_url(self.http, quote_id, kind)
        return Response({"url": url}, headers={"Referrer-Policy": "no-referrer"})


class EmailView(PolicyView):
    """The e-mail with a policy's documents."""

    @describes("getEmail", {200: EmailShape})
    def get(self, request: Request, quote_id: str) -> Response:
        """Return its state; 404 while there are no documents."""
        row = mail.mail_of(self.policy())
        if row is None:
            raise Http404
        return self.respond(EmailShape, row)

    @describes("sendEmail", {202: EmailShape})
    def post(self, request: Request, quote_id: str) -> Response:
        """Send it again to the policy's address; 202, or 429 if it was sent recently."""
        return self.respond(EmailShape, mail.send(self.policy()), code=status.HTTP_202_ACCEPTED)


class InstalmentsView(PolicyView):
    """The payment schedule of a policy paid in instalments."""

    @describes("getInstalments", {200: ScheduleShape})
    def get(self, request: Request, quote_id: str) -> Response:
        """Return paid and future instalments; 404 for a policy that was paid at once."""
        schedule = schedule_of(self.policy())
        if schedule is None:
            raise Http404
        return self.respond(ScheduleShape, schedule)
