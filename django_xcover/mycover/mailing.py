"""Having a policy's documents sent by e-mail once more."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from django_xcover.models import Quote
from django_xcover.mycover.guarding import acts
from django_xcover.mycover.replies import policy_page, see
from django_xcover.services.my_cover import mail


@acts
def send_documents(request: HttpRequest, quote: Quote) -> HttpResponse:
    """Have XCover write again, to the address it knows. A form sent twice sends once."""
    try:
        mail.send(quote)
    except mail.SentRecently as refusal:
        return policy_page(request, quote, error=str(refusal), status=HTTPStatus.TOO_MANY_REQUESTS)
    except mail.NothingToSend as refusal:
        return policy_page(request, quote, error=str(refusal), status=HTTPStatus.CONFLICT)
    return see("policy", quote, place="documents")
