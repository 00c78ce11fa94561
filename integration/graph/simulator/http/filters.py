"""`$filter` and `$orderby` over JSON items: the part of OData that Graph's calendar, mail and directory have."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

Json = Mapping[str, object]
Test = Callable[[Json], bool]
TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<instant>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)?|\d{4}-\d\d-\d\d)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_@][\w@./]*)"
    r"|(?P<mark>[(),:]))"
)
COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
FUNCTIONS = ("startswith", "endswith", "contains")


class BadFilter(ValueError):
    """A filter or order that Graph refuses; the message says what it objects to."""


def matches(items: Sequence[Json], text: str | None, *, allowed: Mapping[str, str]) -> list:
    """The items for which the filter holds. `allowed` maps property paths to the operators they take."""
    if not text:
        return list(items)
    test = _parsed(text, tuple(sorted(allowed.items())))
    return [item for item in items if test(item)]


def ordered(items: Sequence[Json], text: str | None, *, allowed: Sequence[str]) -> list:
    chosen = list(items)
    for part in reversed((text or "").split(",")):
        if not part.strip():
            continue
        path, _, direction = part.strip().partition(" ")
        if path not in allowed:
            raise BadFilter(f"Ordering by '{path}' is not supported for this resource.")
        if direction.strip() not in ("", "asc", "desc"):
            raise BadFilter(f"Invalid direction '{direction.strip()}' in $orderby.")
        chosen.sort(key=lambda item: _sortable(_at(item, path)), reverse=direction.strip() == "desc")
    return chosen


@lru_cache(maxsize=512)
def _parsed(text: str, allowed: tuple[tuple[str, str], ...]) -> Test:
    return _Parser(text, dict(allowed)).whole()


class _Parser:
    def __init__(self, text: str, allowed: Mapping[str, str]) -> None:
        self.text = text
        self.allowed = allowed
        self.tokens = self._split(text)
        self.at = 0
        self.prefix = ""
        self.variable = ""

    def whole(self) -> Test:
        test = self.either()
        if self.at != len(self.tokens):
            raise self.bad(f"unexpected '{self.tokens[self.at][1]}'")
        return test

    def either(self) -> Test:
        tests = [self.both()]
        while self.took("or"):
            tests.append(self.both())
        return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.took("and"):
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)

    def one(self) -> Test:
        if self.took("not"):
            denied = self.one()
            return lambda item: not denied(item)
        if self.took("("):
            inner = self.either()
            self.need(")")
            return inner
        word = self.word()
        if word in FUNCTIONS:
            return self.function(word)
        if word.endswith("/any"):
            return self.lambda_any(word.removesuffix("/any"))
        return self.comparison(word)

    def function(self, name: str) -> Test:
        self.need("(")
        read = self.reader(self.word(), name)
        self.need(",")
        wanted = str(self.literal()).casefold()
        self.need(")")
        if self.took("eq"):
            self.literal()
        compare = {"startswith": str.startswith, "endswith": str.endswith, "contains": str.__contains__}[name]
        return lambda item: isinstance(value := read(item), str) and compare(value.casefold(), wanted)

    def lambda_any(self, path: str) -> Test:
        self.operator_allowed(path, "any")
        self.need("(")
        self.variable, outer = self.word(), self.variable
        self.need(":")
        self.prefix = path
        inner = self.either()
        self.need(")")
        self.prefix, self.variable = "", outer
        return lambda item: any(inner({"": one}) for one in _listed(_at(item, path)))

    def comparison(self, path: str) -> Test:
        operator = self.word()
        read = self.reader(path, operator)
        if operator == "in":
            return self.membership(read)
        if operator not in COMPARISONS:
            raise self.bad(f"unknown operator '{operator}'")
        wanted = self.literal()
        return lambda item: _compare(operator, read(item), wanted)

    def membership(self, read: Callable[[Json], object]) -> Test:
        self.need("(")
        wanted = [self.literal()]
        while self.took(","):
            wanted.append(self.literal())
        self.need(")")
        return lambda item: any(_compare("eq", read(item), one) for one in wanted)

    def reader(self, path: str, operator: str) -> Callable[[Json], object]:
        if self.variable and path.split("/")[0] == self.variable:
            inner = path[len(self.variable) :].strip("/")
            return lambda item: _at(item[""], inner) if inner else item[""]
        self.operator_allowed(path, operator)
        return lambda item: _at(item, path)

    def operator_allowed(self, path: str, operator: str) -> None:
        if path not in self.allowed:
            raise BadFilter(f"Invalid filter clause: filtering by '{path}' is not supported for this resource.")
        if operator not in self.allowed[path].split():
            raise BadFilter(f"Invalid filter clause: '{operator}' is not supported for property '{path}'.")

    def literal(self) -> object:
        kind, value = self.next()
        if kind == "text":
            return value[1:-1].replace("''", "'")
        if kind == "number":
            return float(value)
        if kind == "instant":
            return value
        if value in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[value]
        raise self.bad(f"a value is expected, not '{value}'")

    def word(self) -> str:
        kind, value = self.next()
        if kind != "word":
            raise self.bad(f"a name is expected, not '{value}'")
        return value

    def took(self, value: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at][1] == value:
            self.at += 1
            return True
        return False

    def need(self, value: str) -> None:
        if not self.took(value):
            raise self.bad(f"'{value}' is expected")

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise self.bad("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def bad(self, why: str) -> BadFilter:
        return BadFilter(f"Invalid filter clause: {why} in '{self.text}'.")

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if not found or not found.lastgroup:
                raise self.bad(f"unexpected character at position {at}")
            tokens.append((found.lastgroup, found.group(found.lastgroup)))
            at = found.end()
        return tokens


def _at(item: object, path: str) -> object:
    for name in path.split("/"):
        item = item.get(name) if isinstance(item, Mapping) else None
    return item


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _compare(operator: str, value: object, wanted: object) -> bool:
    if operator in ("eq", "ne"):
        return (_comparable(value) == _comparable(wanted)) == (operator == "eq")
    left, right = _sortable(value), _sortable(wanted)
    if value is None or wanted is None:
        return False
    return {"gt": left > right, "ge": left >= right, "lt": left < right, "le": left <= right}[operator]


def _comparable(value: object) -> object:
    if isinstance(value, bool) or value is None:
        return value
    return _sortable(value)


def _sortable(value: object) -> tuple[int, float, str]:
    """Instants compare as instants, numbers as numbers, everything else as text in any case."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, int | float):
        return (1, float(value), "")
    text = str(value)
    at = _instant(text)
    return (2, at, "") if at is not None else (3, 0.0, text.casefold())


@lru_cache(maxsize=4096)
def _instant(text: str) -> float | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d)?)?", text):
        return None
    shortened = re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00")
    try:
        at = datetime.fromisoformat(shortened)
    except ValueError:
        return None
    return (at if at.tzinfo else datetime.fromisoformat(f"{at.isoformat()}+00:00")).timestamp()
