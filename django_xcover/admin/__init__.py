"""What support and finance look at: read-only mirrors, and two things that staff may do."""

from __future__ import annotations

from django_xcover.admin.decisions import DecisionAdmin
from django_xcover.admin.operations import OperationAdmin
from django_xcover.admin.packages import QuotePackageAdmin
from django_xcover.admin.policies import PolicyAdmin

__all__ = ["DecisionAdmin", "OperationAdmin", "PolicyAdmin", "QuotePackageAdmin"]
