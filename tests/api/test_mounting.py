"""Who does not mount the API needs nothing of it."""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings

WITHOUT = """
import os, sys
sys.modules["rest_framework"] = None  # importing it fails
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
import django_xcover.urls
from django.core.management import call_command
call_command("check")
"""


def test_a_shop_without_the_api_never_loads_rest_framework() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, timeout=60)


def test_rest_framework_need_not_be_an_installed_app() -> None:
    assert "rest_framework" not in settings.INSTALLED_APPS
