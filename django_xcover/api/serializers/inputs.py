"""What a client may send. Never a price."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

# What a template's version is where we do not make the page: the client may name its own.
NO_TEMPLATE = "api"


class ChoiceInput(serializers.Serializer[Any]):
    """Yes or no to one quote. `shown` is the mark that came with the offer."""

    quote = serializers.CharField(max_length=64)
    choice = serializers.ChoiceField(choices=("yes", "no"))
    plan = serializers.CharField(max_length=64, allow_blank=True, default="")
    shown = serializers.CharField(max_length=64, allow_blank=True, default="")
    template_version = serializers.CharField(max_length=20, default=NO_TEMPLATE)


class CancellationInput(serializers.Serializer[Any]):
    """Which policies of the booking, by default the one of the address, and why."""

    policies = serializers.ListField(
        child=serializers.CharField(max_length=64), allow_empty=False, max_length=100, default=None
    )
    reason = serializers.CharField(max_length=200, allow_blank=True, default="")


class StatementInput(serializers.Serializer[Any]):
    """Who withdraws and where the receipt goes; by default as the policyholder is on record."""

    name = serializers.CharField(max_length=200, allow_blank=True, default="")
    email = serializers.EmailField(max_length=254, allow_blank=True, default="")


class ModificationInput(serializers.Serializer[Any]):
    """Either details of the policyholder, or fields of the policy type with new values."""

    policyholder = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True),
        allow_empty=False,
        default=None,
    )
    update_fields = serializers.DictField(allow_empty=False, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Let one of the two through."""
        if (attrs["policyholder"] is None) == (attrs["update_fields"] is None):
            raise serializers.ValidationError(_("Send either policyholder or update_fields."))
        return attrs
