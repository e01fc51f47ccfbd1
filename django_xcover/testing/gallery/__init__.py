"""PUBLIC: every state of the offer as HTML, to look at and to test a theme. Needs `[testing]`.

The states come from the presenters and templates that the checkout uses, including templates that
the shop overrides. Nothing is stored, and XCover isn't called.
"""

from __future__ import annotations

from django_xcover.offers.words import LOOKS
from django_xcover.testing.gallery.scenes import State, states

__all__ = ["LOOKS", "State", "states"]
