"""A roster comes from a spreadsheet: good lines are kept, bad ones are named, and nothing happens twice."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from integration.errors import InputRefused
from integration.outbox import Message
from integration.people.models import Person
from integration.people.people import by_mail
from integration.people.roster import import_roster
from integration.people.roster_file import read_lines

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
HEADER = "name,mail,role,department,manager,start date,skills taught,skills wanted,time_zone,other addresses\n"
ADA = "Ada Lovelace,Ada@example.com,analyst,research,alan@example.com,2026-09-01,sql;excel,python,Europe/Zurich,\n"
GRACE = "Grace Hopper,grace@example.com,engineer,it,alan@example.com,2020-01-15,cobol,sql,America/New_York,\n"


def load(session, *lines):
    return import_roster(session, lines, now=NOW)


def test_ada_and_grace_arrive_with_all_that_the_roster_says(session):
    done = load(session, HEADER, ADA, GRACE)

    ada = by_mail(session, "ADA@example.com")
    assert (done.added, done.changed, done.unchanged, done.refused) == (2, 0, 0, ())
    assert (ada.role, ada.department, ada.manager_mail) == ("analyst", "research", "alan@example.com")
    assert (ada.employed_on, ada.time_zone) == (date(2026, 9, 1), "Europe/Zurich")
    assert {(skill.direction, skill.name) for skill in ada.skills} == {
        ("teaches", "sql"),
        ("teaches", "excel"),
        ("wants", "python"),
    }


def test_importing_twice_changes_nothing_and_asks_the_directory_once(session):
    load(session, HEADER, ADA, GRACE)
    done = load(session, HEADER, ADA, GRACE)

    assert (done.added, done.changed, done.unchanged) == (0, 0, 2)
    assert sorted(session.scalars(select(Message.task))) == ["person.resolve", "person.resolve"]


def test_a_new_role_and_a_lost_skill_are_a_change(session):
    load(session, HEADER, ADA)
    done = load(session, HEADER, ADA.replace("analyst", "lead").replace("sql;excel", "excel"))

    ada = by_mail(session, "ada@example.com")
    assert (done.changed, ada.role) == (1, "lead")
    assert [skill.name for skill in ada.skills if skill.direction == "teaches"] == ["excel"]


def test_a_column_that_the_file_does_not_have_is_left_as_it_was(session):
    load(session, HEADER, ADA)
    done = load(session, "mail,name\n", "ada@example.com,Ada Lovelace\n")

    assert done.unchanged == 1
    assert by_mail(session, "ada@example.com").role == "analyst"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Alan,alan.example.com,,,,,,,,\n", "no address"),
        (",alan@example.com,,,,,,,,\n", "no name"),
        ("Alan,alan@example.com,,,,01/02/2026,,,,\n", "write it like 2026-12-31"),
        ("Alan,alan@example.com,,,,2062-01-01,,,,\n", "more than a year ahead"),
        ("Alan,alan@example.com,,,,,,,Zurich,\n", "Europe/Zurich"),
        ("Alan,ada@EXAMPLE.com,,,,,,,,\n", "who is in line 2"),
        ("Alan,alan@example.com,,,,,,,,ada@example.com\n", "Ada Lovelace's"),
        ("Alan,alan@example.com,,,,,,,,,too,many\n", "12 cells"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_the_good_ones_are_kept(session, line, reason):
    done = load(session, HEADER, ADA, line, GRACE)

    assert (done.added, [refused.number for refused in done.refused]) == (2, [3])
    assert reason in done.refused[0].reason


def test_a_file_with_byte_order_mark_and_semicolons_reads_the_same(session, tmp_path):
    file = tmp_path / "roster.csv"
    lines = '\ufeffName;E-Mail;Skills taught;Shoe size\n"Ada";ada@example.com;"sql;excel";39\n'
    file.write_text(lines, encoding="utf-8")

    done = import_roster(session, read_lines(file), now=NOW)

    assert (done.added, done.unknown_columns) == (1, ("Shoe size",))
    assert {skill.name for skill in by_mail(session, "ada@example.com").skills} == {"sql", "excel"}


def test_a_file_in_another_encoding_is_refused_with_the_remedy(tmp_path):
    file = tmp_path / "roster.csv"
    file.write_bytes("name,mail\nZoë,zoe@example.com\n".encode("latin-1"))

    with pytest.raises(InputRefused, match="CSV UTF-8"):
        read_lines(file)


def test_a_file_without_mail_column_is_refused(session):
    with pytest.raises(InputRefused, match="no column 'mail'"):
        load(session, "name,telephone\n", "Ada,123\n")


def test_an_empty_file_is_refused(session):
    with pytest.raises(InputRefused, match="no column"):
        load(session)


def test_mallorys_formula_is_only_text(session):
    load(session, HEADER, '"=HYPERLINK(""http://evil"")",mallory@example.com,@SUM(A1),,,,-2+3,,,\n')

    mallory = by_mail(session, "mallory@example.com")
    assert mallory.name == 'HYPERLINK("http://evil")'
    assert (mallory.role, mallory.skills[0].name) == ("SUM(A1)", "2+3")


def test_a_line_break_in_a_name_does_not_shift_the_line_numbers(session):
    done = load(session, HEADER, '"Ada\n', 'Lovelace",ada@example.com,,,,,,,,\n', "Alan,nowhere,,,,,,,,\n")

    assert session.scalars(select(Person.name)).all() == ["Ada Lovelace"]
    assert [refused.number for refused in done.refused] == [4]


def test_somebody_who_left_does_not_come_back_by_an_old_file(session):
    load(session, HEADER, ADA)
    by_mail(session, "ada@example.com").left_at = NOW

    done = load(session, HEADER, ADA.replace("analyst", "lead"))

    assert "left on 1 December 2026" in done.refused[0].reason
    assert by_mail(session, "ada@example.com").role == "analyst"


def test_of_hundreds_each_is_looked_up_once_however_often_the_file_changes_before(session):
    lines = [f"Person {n},{n}@example.com\n" for n in range(450)]
    load(session, "name,mail\n", *lines)
    done = load(session, "name,mail\n", *(line.replace("Person", "Doctor") for line in lines))

    subjects = session.scalars(select(Message.subject)).all()
    assert (done.changed, len(subjects), len(set(subjects))) == (450, 450, 450)
