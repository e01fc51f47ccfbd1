"""A shop built with django-oscar, with cover as docs/oscar.md says, block by block."""
