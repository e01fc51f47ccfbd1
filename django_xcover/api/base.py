"""The base classes of the API's views: authentication, request bodies, responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, ClassVar, TypeVar

from django.db.models import QuerySet
from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.schemas import DefaultSchema
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from django_xcover import validators
from django_xcover.api import exceptions
from django_xcover.api.idempotency import idempotent
from django_xcover.api.problems import answers_exceptions
from django_xcover.client import exact_json
from django_xcover.models import Cancellation, Modification, Quote, Renewal
from django_xcover.overview.policies import own_policy
from django_xcover.tracebacks import clears_frames


class CsrfFailed(PermissionDenied):
    """The CSRF token is missing or wrong."""

    default_code = "csrf_failed"
    default_detail = gettext_lazy("Please reload the page and try again.")


class ShopperSession(SessionAuthentication):
    """Session authentication with Django's CSRF check, also for guests.

    REST framework only checks CSRF for logged-in users. A guest's session has a cart as well, and
    another site must not accept cover for it.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the session's user, None for a guest; raise CsrfFailed without a token."""
        try:
            self.enforce_csrf(request)
        except PermissionDenied:  # Django has logged the reason, in English
            raise CsrfFailed from None
        user = getattr(request._request, "user", None)  # noqa: SLF001 - the documented way
        return (user, None) if user is not None and user.is_active else None


MAX_BYTES = 64 * 1024


class ExactJSONParser(BaseParser):
    """A JSON object of at most 64 KiB. Fractions become Decimal, so money is never a float."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object; raise ParseError for anything else."""
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise ParseError(_("The request is larger than 64 KiB."))
        try:
            data = exact_json.decode(body) if body.strip() else {}
        except ValueError:
            raise ParseError(_("The request isn't valid JSON.")) from None
        if not isinstance(data, dict):
            raise ParseError(_("The request isn't a JSON object."))
        return data


class LazySchema(DefaultSchema):
    """Describe the views to drf-spectacular, if the shop generates its own OpenAPI document."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        """Return the inspector for a view; the shop's default one without drf-spectacular."""
        found = super().__get__(instance, owner)
        if not type(found).__module__.startswith("drf_spectacular"):
            return found
        from django_xcover.api.openapi import Inspector  # noqa: PLC0415 - an optional dependency

        inspector = Inspector()
        inspector.view = instance
        return inspector


Row = TypeVar("Row", Cancellation, Modification, Renewal)


class ShopView(APIView):
    """A JSON view for the request's shopper. Its responses are never cached.

    The shop's `DEFAULT_AUTHENTICATION_CLASSES`, or else its session, identify the shopper. The
    adapter decides what they may see. A card number in any field is refused.
    """

    parser_classes = (ExactJSONParser,)
    renderer_classes = (JSONRenderer,)
    permission_classes = (AllowAny,)
    versioning_class = None
    schema = LazySchema()
    input_class: ClassVar[type[Serializer[Any]]] = Serializer

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make each write idempotent."""
        super().__init_subclass__(**kwargs)
        if "post" in vars(cls):
            cls.post = idempotent(vars(cls)["post"])  # type: ignore[attr-defined]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, outside the shop's `ATOMIC_REQUESTS` transaction.

        No transaction stays open during a call to XCover.
        """
        hidden = sensitive_post_parameters()(super().as_view(**initkwargs))
        return answers_exceptions(clears_frames(non_atomic_requests(hidden)))

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return the shop's authenticators, with its session last."""
        others = super().get_authenticators()
        return [*(a for a in others if not isinstance(a, SessionAuthentication)), ShopperSession()]

    def get_exception_handler(self) -> Any:
        """Return the function that turns an exception into a response."""
        return exceptions.respond

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raise CardNumberSent for card numbers and Http404 for a NUL, before any other check."""
        super().initial(request, *args, **kwargs)
        if any("\0" in str(value) for value in kwargs.values()):
            raise Http404
        validators.refuse(dict(request.query_params))
        if request.method not in SAFE_METHODS:
            validators.refuse(request.data)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Add headers that keep the response out of caches: it belongs to one shopper."""
        final = super().finalize_response(request, response, *args, **kwargs)
        add_never_cache_headers(final)
        patch_vary_headers(final, ["Cookie", "Authorization"])
        return final

    @property
    def http(self) -> HttpRequest:
        """Return Django's request, which the adapter expects."""
        django: HttpRequest = self.request._request  # noqa: SLF001 - the documented way
        return django

    def get_input_class(self) -> type[Serializer[Any]]:
        """Return the serializer class for the request's data."""
        return self.input_class

    def validated_input(self) -> dict[str, Any]:
        """Return the request's data, validated by `input_class`; raise ValidationError."""
        serializer = self.get_input_class()(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def respond(
        self,
        shape: type[Serializer[Any]],
        value: Any,
        *,
        code: int = status.HTTP_200_OK,
        location: str = "",
    ) -> Response:
        """Return `value` as JSON, serialized by `shape`; `location` is the URL of what was made."""
        data = shape(value, context={"request": self.http}).data
        return Response(data, status=code, headers={"Location": location} if location else None)

    def url_of(self, name: str, pk: int) -> str:
        """Return the path of a row below this view's policy."""
        match = self.http.resolver_match
        kwargs = {"quote_id": self.kwargs["quote_id"], "pk": pk}
        current = match.namespace if match else None
        return reverse(f"xcover_api:{name}", kwargs=kwargs, current_app=current)


class MissingView(ShopView):
    """Answers any path that the API doesn't have with 404."""

    schema = None  # not in the OpenAPI document

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raise Http404, whatever the method."""
        raise Http404


class PolicyView(ShopView):
    """A view of one policy; it returns 404 if the policy isn't the shopper's."""

    def policy(self) -> Quote:
        """Return the URL's policy; raise PolicyMissing if it isn't the shopper's."""
        quote = own_policy(self.http, self.kwargs["quote_id"])
        self.package = quote.package
        return quote

    def workflow(self, rows: QuerySet[Row], quote: Quote) -> Row:
        """Return the URL's row; raise Http404 if it isn't part of `quote`'s booking."""
        in_booking = rows.select_related("package").filter(package=quote.package)
        row = in_booking.filter(pk=self.kwargs["pk"]).first()
        if row is None:
            raise Http404
        return row
