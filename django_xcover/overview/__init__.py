"""What a shopper is shown of the cover they have. Reads rows, calls nobody, changes nothing."""

from __future__ import annotations
