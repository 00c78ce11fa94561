"""What an export says before anybody knows whose session it is: forms, dates, lengths, and files that are none."""

from __future__ import annotations

# ruff: noqa: DTZ001 (clocks on walls)
from datetime import datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.attendance.exports_file import ColumnsUnknown, read_export
from integration.attendance.exports_times import Order, orders_of, seconds_of, written
from integration.attendance.exports_words import Column
from integration.errors import InputRefused

HEADER = "Name\tFirst join\tLast leave\tIn-meeting duration\tEmail\tRole\n"
ADA = "Ada\t15/11/22, 09:30:47\t15/11/22, 09:41:46\t10m 59s\tada@pods.example\tPresenter\n"
GOOD = HEADER + ADA


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("15/11/22, 09:30:17", Order.DAY_FIRST, datetime(2022, 11, 15, 9, 30, 17)),
        ("11/15/22, 9:30:17 AM", Order.MONTH_FIRST, datetime(2022, 11, 15, 9, 30, 17)),
        ("11/15/2022, 12:05:00\u202fPM", Order.MONTH_FIRST, datetime(2022, 11, 15, 12, 5)),
        ("11/15/2022, 12:05:00 AM", Order.MONTH_FIRST, datetime(2022, 11, 15, 0, 5)),
        ("15/11/2022, 1:05:00 p.\u00a0m.", Order.DAY_FIRST, datetime(2022, 11, 15, 13, 5)),
        ("15.11.2022 09:30", Order.DAY_FIRST, datetime(2022, 11, 15, 9, 30)),
        ("5. 3. 2022 9:30:17", Order.DAY_FIRST, datetime(2022, 3, 5, 9, 30, 17)),
        ("2022-11-15T09:30:17", Order.YEAR_FIRST, datetime(2022, 11, 15, 9, 30, 17)),
        ("2022/11/5 9:30:17", Order.YEAR_FIRST, datetime(2022, 11, 5, 9, 30, 17)),
        ("\u200e15\u200e/\u200e11\u200e/\u200e2022 09:30", Order.DAY_FIRST, datetime(2022, 11, 15, 9, 30)),
    ],
)
def test_dates_are_read_as_they_are_written(text: str, order: Order, moment: datetime) -> None:
    found = written(text)
    assert found is not None
    assert found.on(order) == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "15/11/22", "25:00", "13:00 PM", "0:30 am", "1/2/3/4 09:00", "1/2/3 09:00"]
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert written(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h 2m 3s", 3723),
        ("1 Std. 2 Min. 3 Sek.", 3723),
        ("1 godz. 2 min 3 sek.", 3723),
        ("1\u00a0h 48\u00a0min 58\u00a0s", 6538),
        ("10m 59s", 659),
        ("59 Min. 0 Sek.", 3540),
        ("01:02:03", 3723),
        ("45s", 45),
        ("1 fortnight", None),
        ("", None),
        ("soon", None),
    ],
)
def test_lengths_are_read_in_each_language(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


@given(st.datetimes(datetime(2020, 1, 1), datetime(2049, 12, 31)), st.sampled_from(["/", "-"]))
def test_a_date_is_read_back_in_the_order_in_which_it_was_written(at: datetime, sign: str) -> None:
    at = at.replace(microsecond=0)
    found = written(f"{at.day}{sign}{at.month}{sign}{at.year}, {at:%H:%M:%S}")
    assert found is not None
    assert found.on(Order.DAY_FIRST) == at
    both = at.day <= 12 and at.day != at.month
    expected = {Order.DAY_FIRST, Order.MONTH_FIRST} if both else {Order.DAY_FIRST}
    assert orders_of([found]) == expected


def test_one_unmistakable_date_settles_all_of_a_file() -> None:
    moments = [written("03/04/26, 09:00"), written("13/04/26, 09:00")]
    assert orders_of([one for one in moments if one]) == {Order.DAY_FIRST}


def test_dots_are_only_put_behind_days_that_come_first() -> None:
    found = written("03.04.26, 09:00")
    assert found is not None
    assert orders_of([found]) == {Order.DAY_FIRST}


def test_a_date_that_could_be_two_days_is_told_to_be_so() -> None:
    assert read_export(GOOD.replace("15/11", "03/04").encode()).orders == {Order.DAY_FIRST, Order.MONTH_FIRST}


def test_a_leaving_without_its_day_is_on_the_same_or_the_next() -> None:
    text = "Name\tJoin time\tLeave time\nAda\t15/11/22, 23:50:00\t00:10:00\n"
    (row,) = read_export(text.encode()).rows
    assert row.left is not None
    assert row.left.clock == time(0, 10)
    assert row.left.date is None


def test_a_list_pairs_joining_and_leaving_and_leaves_the_rest_open() -> None:
    text = (
        "Full Name\tUser Action\tTimestamp\nAda\tJoined before\t15/11/22, 09:30:00\n"
        "Grace\tJoined\t15/11/22, 09:31:00\nGrace\tLeft\t15/11/22, 09:35:00\nAlan\tLeft\t15/11/22, 09:36:00\n"
    )
    rows = {row.name: row for row in read_export(text.encode()).rows}
    assert rows["Grace"].left is not None
    assert rows["Ada"].left is None
    assert rows["Alan"].joined is None


def test_an_unseen_language_asks_which_column_is_which_and_shows_them() -> None:
    text = "Nimi\tLiittyi\tPoistui\nAda\t15.11.2022 9:30\t15.11.2022 9:41\n"
    with pytest.raises(ColumnsUnknown, match="language") as refused:
        read_export(text.encode())
    assert refused.value.table == (("Nimi", "Liittyi", "Poistui"), ("Ada", "15.11.2022 9:30", "15.11.2022 9:41"))
    told = {Column.NAME: 0, Column.JOINED: 1, Column.LEFT: 2}
    assert [row.name for row in read_export(text.encode(), columns=told).rows] == ["Ada"]


def test_columns_that_do_not_say_when_are_not_enough() -> None:
    with pytest.raises(InputRefused, match="who was there and when"):
        read_export(GOOD.encode(), columns={Column.NAME: 0})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x01" * 50, "neither|not a text"),
        (b"PK\x03\x04" + bytes(range(256)), "neither UTF-16 nor UTF-8"),
        (GOOD.encode().replace(b"Ada", b"A\x00da"), "not a text file"),
        (GOOD.replace("Ada", "Zoë").encode("cp1252"), "neither UTF-16 nor UTF-8"),
        (b"x" * (512 * 1024 + 1), "larger than 512 kB"),
        (b"\n" * 6_000 + GOOD.encode(), "more than 5000 lines"),
        (GOOD.encode() + b"a\t" * 1_000, "has 1001 columns"),
        (GOOD.encode() + b"\t" * 250_000, "too long"),
        (GOOD.encode() + b"x" * 600 + b"\n", "more than 500 characters"),
        (HEADER.encode(), "nobody in this file"),
        (GOOD.replace("09:30:47", "half past nine").encode(), "Line 2 has the time"),
        (GOOD.replace("15/11/22, 09:30:47", "").encode(), "does not say when Ada joined"),
        (GOOD.replace("15/11/22, 09:41:46\t10m 59s", "\t").encode(), "does not say when Ada left"),
        (GOOD.replace("15/11/22, 09:41", "11/15/22, 09:41").encode(), "cannot be read in one order"),
        (GOOD.replace("15/11/22", "45/45/22").encode(), "cannot be read in one order"),
        (b"name,mail\nAda,ada@pods.example\n", "no attendance export"),
        (b"Full Name\tUser Action\tTimestamp\nAda\tWaved\t15/11/22, 09:30:00\n", "neither a joining nor a leaving"),
    ],
)
def test_other_files_are_refused_with_what_would_be_right(content: bytes, told: str) -> None:
    with pytest.raises(InputRefused, match=told) as refused:
        read_export(content)
    assert refused.value.remedy


def test_a_title_or_a_name_that_looks_like_a_formula_or_breaks_a_line_is_a_title_or_a_name() -> None:
    """Whatever we let download is made inert where it is written: ``csv_export.py``."""
    text = "Meeting title\t@Lunch\n\n" + GOOD + ADA.replace("Ada", "=Ada\u2028Lovelace")
    file = read_export(text.encode())
    assert file.labels == ("@Lunch",)
    assert [row.name for row in file.rows] == ["Ada", "=Ada\u2028Lovelace"]


def is_read_or_refused_with_a_remedy(content: bytes) -> bool:
    try:
        return bool(read_export(content).rows)
    except InputRefused as refused:
        return bool(refused.remedy)


@given(st.binary(max_size=2_000))
def test_no_bytes_break_it(content: bytes) -> None:
    assert is_read_or_refused_with_a_remedy(content)


@given(st.lists(st.lists(st.text(max_size=20), max_size=8), max_size=12), st.sampled_from(["\t", ",", ";"]))
def test_no_table_breaks_it(table: list[list[str]], delimiter: str) -> None:
    content = (GOOD + "\n".join(delimiter.join(line) for line in table)).encode("utf-8", "replace")
    assert is_read_or_refused_with_a_remedy(content)


def test_an_unclosed_quote_swallows_one_line_and_not_the_file() -> None:
    text = 'Name,First join,Last leave,Email\n"Ada,15/11/22 09:30,15/11/22 09:40,a@b.example\n'
    text += "Grace,15/11/22 09:30,15/11/22 09:40,g@b.example\n"
    with pytest.raises(InputRefused, match="Line 2"):
        read_export(text.encode())
