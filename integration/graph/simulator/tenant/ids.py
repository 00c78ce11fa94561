"""Ids of calendar items: two forms of one key (immutable, and changing with the folder), and iCalUIds."""

from datetime import date, datetime

KEY_LENGTH = 22
IMMUTABLE_PREFIX, REST_PREFIX = "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A", "AAMkADk0MGFkODE3LWE4MmYtNDRhOQBG"
SUFFIX = "AA="
DAY_LETTERS = "gQvLkXbTzN"


def immutable_id(key: str, day: date | None = None) -> str:
    return f"{IMMUTABLE_PREFIX}{key}{_spell(day)}{SUFFIX}"


def rest_id(key: str, day: date | None = None) -> str:
    """The form Graph gives without `Prefer: IdType="ImmutableId"`."""
    return f"{REST_PREFIX}{key[::-1]}{_spell(day)}{SUFFIX}"


def is_immutable(text: str) -> bool:
    return text.startswith(IMMUTABLE_PREFIX)


def parse_id(text: str) -> tuple[str, date | None] | None:
    """The key and the day an id of either form names, None for what is no event id. Ids are case-sensitive."""
    prefix = IMMUTABLE_PREFIX if is_immutable(text) else REST_PREFIX
    if not text.startswith(prefix) or not text.endswith(SUFFIX):
        return None
    rest = text[len(prefix) : -len(SUFFIX)]
    key, spelt = rest[:KEY_LENGTH], rest[KEY_LENGTH:]
    day = _unspell(spelt)
    if len(key) < KEY_LENGTH or (spelt and day is None):
        return None
    return (key if is_immutable(text) else key[::-1]), day


def other_form(text: str, *, immutable: bool) -> str:
    """An event id in the form wanted; a text that is no event id comes back as it is."""
    named = parse_id(text)
    if named is None:
        return text
    return immutable_id(*named) if immutable else rest_id(*named)


def occurrence_uid(uid: str, day: date | None) -> str:
    """A GlobalObjectId carries the day of an occurrence in its bytes 16 to 19 (MS-OXOCAL 2.2.1.27)."""
    stamp = f"{day.year:04X}{day.month:02X}{day.day:02X}" if day else "00000000"
    return uid[:32] + stamp + uid[40:]


def series_uid(uid: str) -> str:
    return occurrence_uid(uid, None)


def _spell(day: date | None) -> str:
    return "".join(DAY_LETTERS[int(digit)] for digit in f"{day:%Y%m%d}") if day else ""


def _unspell(spelt: str) -> date | None:
    digits = "".join(str(DAY_LETTERS.find(letter)) for letter in spelt)
    try:
        return datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007 - a calendar day, no instant
    except ValueError:
        return None
