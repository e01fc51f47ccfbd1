"""The task of Django's tasks framework, for `XCOVER["RUNNER"] = "django_tasks"` (Django 6.0).

Its arguments are the name of a task and a primary key, so the backend stores no data of customers.
"""

from __future__ import annotations

from django.tasks import task
from django.utils.module_loading import import_string

from django_xcover.tracebacks import clears_frames


@task()
@clears_frames
def run_task(name: str, pk: int) -> None:
    """Run the task with this name, such as "django_xcover.tasks.run_operation"."""
    import_string(name)(pk)
