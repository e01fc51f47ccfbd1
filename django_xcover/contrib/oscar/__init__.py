"""PUBLIC: cover in a shop built with django-oscar. docs/oscar.md says how to set it up.

Needs the extra `[oscar]`. `adapter.OscarAdapter` is what a shop subclasses, and
`loading.load_classes` the value of `OSCAR_DYNAMIC_CLASS_LOADER`.
"""
