"""The read-only base classes of the admin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from django_xcover.mirror import history
from django_xcover.models import AccessRecord, QuotePackage, WebhookDelivery
from django_xcover.tracebacks import clears_frames

STYLES = {"all": ("xcover/admin.css",)}


def section(title: Any, *fields: Any, note: Any = "", folded: bool = False) -> Any:
    """Return one fieldset. A tuple of fields shares a line; `note` appears above them."""
    classes = ("collapse",) if folded else ()
    return title, {"fields": fields, "description": note, "classes": classes}


def package_of(row: Any) -> QuotePackage | None:
    """Return the package of `row`, which may be `row` itself, or None."""
    if isinstance(row, WebhookDelivery):
        packages = QuotePackage.objects.filter(account=row.account, package_id=row.package_id)
        return packages.first() if row.package_id else None
    owner = getattr(row, "cancellation", None) or getattr(row, "quote", None) or row
    package = row if isinstance(row, QuotePackage) else getattr(owner, "package", None)
    return package if isinstance(package, QuotePackage) else None


class ReadOnly:
    """Deny add, change and delete to all users, superusers included.

    The rows mirror XCover or are evidence. Django's views check these permissions too, so a
    crafted POST gets a 403.
    """

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _rendered(pattern: URLPattern) -> Callable[..., HttpResponse]:
    """Return the view of `pattern`, with frames cleared during rendering as well.

    Django renders the admin's pages after their views have returned.
    """
    view = pattern.callback

    @wraps(view)
    def rendered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = view(request, *args, **kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response.render = clears_frames(response.render)  # type: ignore[method-assign]
        return response

    return rendered


class ShortPaginator(Paginator):  # type: ignore[type-arg]
    """Count at most `LIMIT` rows.

    Staff search instead of turning to page 201 of 1,000,000 rows; the template suggests it at the
    limit.
    """

    LIMIT: ClassVar[int] = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        # Without the list's columns and order, an index alone answers the count.
        return int(rows.order_by().values("pk")[: self.LIMIT].count())

    @property
    def is_cut_off(self) -> bool:
        return self.count == self.LIMIT


class HidesPeople:
    """Show columns and fields with personal data only to users with the permission.

    Without it, names in `personal` are left out; `instead` maps some of them to a replacement
    without personal data.
    """

    personal: ClassVar[frozenset[str]] = frozenset()
    instead: ClassVar[Mapping[str, str]] = {}

    def shown(self, request: HttpRequest, names: Any) -> tuple[Any, ...]:
        """Return the column or field names that this user may see; a line may have several."""
        if history.may_see_people(request):
            return tuple(names)
        lines = [(name,) if isinstance(name, str) else tuple(name) for name in names]
        kept = [tuple(self._without_people(line)) for line in lines]
        return tuple(line[0] if len(line) == 1 else line for line in kept if line)

    def _without_people(self, line: tuple[str, ...]) -> Iterator[str]:
        for name in line:
            if name not in self.personal:
                yield name
            elif name in self.instead:
                yield self.instead[name]


class MirrorAdmin(HidesPeople, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The list and page of read-only rows."""

    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200
    # Sorting by an unindexed column would sort the whole table.
    sortable_by: ClassVar[Any] = ()
    ordering = ("-pk",)

    # Enables the search box; `matching` does the search.
    search_fields = ("pk",)
    search_help_text = _(
        "The beginning of any word of the order, the policyholder's name or e-mail, the package "
        "id or the policy id: three letters at least. Shows the newest 500."
    )
    # The same without the permission to see people; "" if the search has no personal data.
    discreet_search_help_text: ClassVar[Any] = _(
        "The beginning of any word of the order, the package id or the policy id: three letters at "
        "least. Shows the newest 500. Names and e-mail addresses are not searched: that needs the "
        "permission “Can see customers' personal data”."
    )
    # Large columns that only the row's own page needs; each is loaded there with a query.
    heavy: ClassVar[tuple[str, ...]] = ()
    # Whether the list links to the health page.
    shows_status_link: ClassVar[bool] = False

    class Media:
        css = STYLES

    @property
    def urls(self) -> list[URLPattern]:
        """Return the URLs of all pages, with form data and frames kept out of error reports."""
        patterns = super().urls
        for pattern in patterns:
            pattern.callback = clears_frames(sensitive_post_parameters()(_rendered(pattern)))
        return patterns

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.shown(request, super().get_list_display(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sections = [
            (title, options | {"fields": self.shown(request, options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]
        return [(title, options) for title, options in sections if options["fields"]]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        answer: HttpResponse = super().changelist_view(request, extra_context)
        shows = self.personal.intersection(self.list_display) and history.may_see_people(request)
        if shows and self.has_view_permission(request):
            history.record_access(request, AccessRecord.What.LIST, str(self.opts.model_name))
        return answer

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with the search help text for this user."""
        changelist = super().get_changelist_instance(request)
        is_ours = self.search_help_text == MirrorAdmin.search_help_text
        if is_ours and not history.may_see_people(request):
            changelist.search_help_text = self.discreet_search_help_text
        return changelist

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Return whether the URL may filter the list by `lookup`.

        Django allows any column of the row. Filtering can reveal a hidden column letter by letter,
        so without the permission only the list's own filters are allowed.
        """
        if not super().lookup_allowed(lookup, value, request):
            return False
        if history.may_see_people(request):
            return True
        offered = set(_names_of(self.get_list_filter(request)))
        return lookup in offered or any(lookup.startswith(f"{name}__") for name in offered)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the row's history, with messages only for users who may see people.

        A message can quote XCover, which can repeat what a customer typed.
        """
        answer: Any = super().history_view(request, object_id, extra_context)
        if not isinstance(answer, TemplateResponse) or answer.context_data is None:
            return answer  # type: ignore[no-any-return]
        if history.may_see_people(request):
            self.record_page(request, answer.context_data["object"])
            return answer
        for entry in answer.context_data["action_list"]:
            entry.change_message = ""
        return answer

    def record_page(self, request: HttpRequest, row: Any) -> None:
        """Log that the user opened a page of `row` with personal data."""
        model = str(self.opts.model_name)
        history.record_access(request, AccessRecord.What.PAGE, model, package_of(row))

    def matching(self, text: str, *, people: bool) -> Q:
        """Return the condition for `text` from the search box.

        Without `people` it uses no personal data: finding a row by a name would reveal that this
        person has cover.
        """
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        people = history.may_see_people(request)
        return queryset.filter(self.matching(search_term, people=people)), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.heavy)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the extra template context for the page of `row`."""
        return {}

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        row = context.get("original")
        context |= {} if row is None else self.page_context(request, row)
        if row is not None and self.personal and history.may_see_people(request):
            self.record_page(request, row)
        return super().render_change_form(request, context, *args, **kw)


def _names_of(filters: Iterable[Any]) -> Iterator[str]:
    """Yield the parameter name of each list filter."""
    for item in filters:
        if isinstance(item, str):
            yield item
        else:
            yield item[0] if isinstance(item, tuple) else item.parameter_name


class MirrorInline(HidesPeople, ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Read-only rows that belong to the page's row."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.shown(request, super().get_fields(request, obj))
