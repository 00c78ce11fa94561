"""Tables that page, sort and filter, all of it in the address, so that a view can be bookmarked and shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Session

PER_PAGE = 50
Sortable = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Column:
    """A column of a table; ``sorts_by`` None: it cannot be sorted by. Numbers stand at the right, heading and all."""

    key: str
    label: str
    sorts_by: Sortable | None = None
    is_number: bool = False


@dataclass(frozen=True)
class TablePage:
    """One page of rows, and what the address says: ``page`` counts from 1, ``sort`` is the key of a column."""

    columns: Sequence[Column]
    rows: Sequence[Any]
    total: int
    page: int
    sort: str
    descending: bool
    filters: Mapping[str, str]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))

    def address(self, **changes: object) -> dict[str, object]:
        """The query of this table's address with some of it changed; a changed order begins on page one."""
        sort = f"-{self.sort}" if self.descending else self.sort
        kept = {"sort": sort, "page": self.page, **self.filters, **changes}
        return {key: value for key, value in kept.items() if value not in ("", None) and (key, value) != ("page", 1)}


def page_of(
    session: Session,
    wanted: Select[Any],
    columns: Sequence[Column],
    query: Mapping[str, str],
    *,
    sort: str,
    filters: Sequence[str] = (),
    per_page: int = PER_PAGE,
) -> TablePage:
    """The page that the address asks for, in two queries; whatever it says wrongly is taken as not said.

    ``wanted`` selects one entity, already filtered; ``sort`` is the key to sort by otherwise ("-name": descending);
    ``filters`` are the names in the query that the caller filtered by, kept in the links of the table.
    """
    total = session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
    sortable = {each.key: each.sorts_by for each in columns if each.sorts_by is not None}
    asked = query.get("sort", "")
    chosen = asked if asked.removeprefix("-") in sortable else sort
    key, descending = chosen.removeprefix("-"), chosen.startswith("-")
    last = max(1, -(-total // per_page))
    number = min(max(_number(query.get("page", "")), 1), last)
    by = sortable[key]
    alike = inspect(wanted.column_descriptions[0]["entity"]).primary_key  # or rows that sort alike change pages
    ordered = wanted.order_by(by.desc() if descending else by.asc(), *alike)
    rows = session.scalars(ordered.limit(per_page).offset((number - 1) * per_page)).unique().all()
    kept = {name: query[name] for name in filters if query.get(name)}
    return TablePage(columns, rows, total, number, key, descending, kept)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
