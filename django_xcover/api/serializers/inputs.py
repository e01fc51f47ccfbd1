"""Serializers for requests. None of them takes a price."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from django_xcover.api.serializers.fields import CodeField

# The default version of the template: the client renders the page, and may send its own version.
NO_TEMPLATE = "api"


class AnswerInput(serializers.Serializer[Any]):
    """Yes or no to one quote. `shown` is the value from the offered quote.

    Without `plan`, a yes that is repeated keeps its plan.
    """

    quote = serializers.CharField(max_length=64)
    choice = CodeField("YesOrNo", ("yes", "no"))
    plan = serializers.CharField(max_length=64, allow_blank=True, allow_null=True, default=None)
    shown = serializers.CharField(max_length=64, allow_blank=True, default="")


class ChoiceInput(AnswerInput):
    """One answer."""

    template_version = serializers.CharField(max_length=20, default=NO_TEMPLATE)


class ChoicesInput(serializers.Serializer[Any]):
    """The answers to several quotes, which are stored all or none."""

    answers: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=AnswerInput(), allow_empty=False, max_length=100
    )
    template_version = serializers.CharField(max_length=20, default=NO_TEMPLATE)

    def validate_answers(self, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuse two answers to one quote: the last would silently win."""
        if len({answer["quote"] for answer in answers}) < len(answers):
            raise serializers.ValidationError(
                _("We couldn't match your answer to an offer. Please answer again.")
            )
        return answers


class TokenInput(serializers.Serializer[Any]):
    """The token id from XPay, and the e-mail address that it was made with."""

    # `use_token` checks it, and never repeats it in an answer.
    customer_token_id = serializers.CharField(max_length=200, trim_whitespace=False)
    email = serializers.CharField(max_length=254, allow_blank=True, default="")


class AfterSaleInput(serializers.Serializer[Any]):
    """Yes to some of the quotes offered after the sale, by default to all, or no to all.

    `shown` is the value from the offer. A yes needs it.
    """

    choice = CodeField("YesOrNo", ("yes", "no"))
    quotes = serializers.ListField(
        child=serializers.CharField(max_length=64), allow_empty=False, max_length=100, default=None
    )
    shown = serializers.CharField(max_length=64, allow_blank=True, default="")
    template_version = serializers.CharField(max_length=20, default=NO_TEMPLATE)


class CancellationInput(serializers.Serializer[Any]):
    """Which policies of the booking to cancel, by default the URL's, and the reason."""

    policies = serializers.ListField(
        child=serializers.CharField(max_length=64), allow_empty=False, max_length=100, default=None
    )
    reason = serializers.CharField(max_length=200, allow_blank=True, default="")


class StatementInput(serializers.Serializer[Any]):
    """The name and receipt address of a withdrawal; by default the policyholder's."""

    name = serializers.CharField(max_length=200, allow_blank=True, default="")
    email = serializers.EmailField(max_length=254, allow_blank=True, default="")


class ModificationInput(serializers.Serializer[Any]):
    """New policyholder details, or new values for fields of the policy type."""

    policyholder = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True),
        allow_empty=False,
        default=None,
    )
    update_fields = serializers.DictField(allow_empty=False, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require exactly one of the two."""
        if (attrs["policyholder"] is None) == (attrs["update_fields"] is None):
            raise serializers.ValidationError(_("Send either policyholder or update_fields."))
        return attrs
