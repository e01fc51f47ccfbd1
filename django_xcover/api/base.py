"""What all views of the API share."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django.db.models import QuerySet
from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from django_xcover import validators
from django_xcover.api import exceptions
from django_xcover.api.authentication import ShopperSession
from django_xcover.api.parsers import ExactJSONParser
from django_xcover.models import Cancellation, Modification, Quote, Renewal
from django_xcover.overview.policies import own_policy
from django_xcover.tracebacks import clears_frames

Row = TypeVar("Row", Cancellation, Modification, Renewal)


class ShopView(APIView):
    """JSON in, JSON out, for the shopper of the request and nobody's cache.

    Who that is the shop's own authentication classes say (`DEFAULT_AUTHENTICATION_CLASSES`), else
    its session. What they may see the shop's adapter says. A card number is refused in any field.
    """

    parser_classes = (ExactJSONParser,)
    renderer_classes = (JSONRenderer,)
    permission_classes = (AllowAny,)
    versioning_class = None
    input_class: ClassVar[type[Serializer[Any]]] = Serializer

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, outside the shop's `ATOMIC_REQUESTS` transaction.

        No transaction is held open while XCover is asked.
        """
        hidden = sensitive_post_parameters()(super().as_view(**initkwargs))
        return clears_frames(non_atomic_requests(hidden))

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return the shop's own ways to know somebody, then its session for all others."""
        others = super().get_authenticators()
        return [*(a for a in others if not isinstance(a, SessionAuthentication)), ShopperSession()]

    def get_exception_handler(self) -> Any:
        """Return what says what is wrong."""
        return exceptions.respond

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse card numbers, and text that no database keeps, before anything looks at them."""
        super().initial(request, *args, **kwargs)
        if any("\0" in str(value) for value in kwargs.values()):
            raise Http404
        validators.refuse(dict(request.query_params))
        if request.method not in SAFE_METHODS:
            validators.refuse(request.data)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep the answer out of every cache: it is one shopper's."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        add_never_cache_headers(answer)
        patch_vary_headers(answer, ["Cookie", "Authorization"])
        return answer

    @property
    def http(self) -> HttpRequest:
        """Return Django's own request, which is what the shop's adapter knows."""
        django: HttpRequest = self.request._request  # noqa: SLF001 - the documented way
        return django

    def sent(self) -> dict[str, Any]:
        """Return what was sent, checked by `input_class`; raise ValidationError."""
        serializer = self.input_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def shown(
        self, shape: type[Serializer[Any]], value: Any, *, code: int = status.HTTP_200_OK
    ) -> Response:
        """Return `value` as JSON in this shape."""
        return Response(shape(value, context={"request": self.http}).data, status=code)


class PolicyView(ShopView):
    """A view about one policy of the shopper's own; others get 404."""

    def policy(self) -> Quote:
        """Return the policy the address names; raise PolicyMissing unless it is the shopper's."""
        return own_policy(self.http, self.kwargs["quote_id"])

    def workflow(self, rows: QuerySet[Row], quote: Quote) -> Row:
        """Return the row the address names; raise Http404 unless it is of `quote`'s booking."""
        mine = rows.select_related("package").filter(package=quote.package)
        found = mine.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found
