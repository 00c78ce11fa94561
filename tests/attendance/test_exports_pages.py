"""Uploading an export on the page, and on a terminal: what the file does not say is asked, and nothing is guessed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.admin.models import AuditEntry
from integration.admin.permissions import Role
from integration.attendance.models import Attendance, AttendanceExport
from integration.people.models import Person
from integration.scheduling.models import Occurrence
from tests.admin.conftest import Site, environ_out_of_reach
from tests.admin.conftest import site as site
from tests.attendance.build import build_person, build_series
from tests.attendance.export_words import TONGUES, Attendee, Stay, as_file, people, sections

NOW = datetime.fromisoformat("2026-03-11T12:00:00+00:00")
START = datetime(2026, 3, 4, 10, 0)  # noqa: DTZ001 (a wall in Zurich)
FINNISH = "Nimi\tLiittyi\tPoistui\tSähköposti\nAda\t4.3.2026 10.00\t\t\n"


@pytest.fixture
def environ(tmp_path: Path, database_url: str) -> dict[str, str]:
    return environ_out_of_reach(tmp_path, database_url, now=NOW)


@pytest.fixture
def program_id(site: Site) -> int:
    with site.tools.database.transaction() as session:
        cast = [build_person(session, name) for name in ("Ada", "Grace", "Alan")]
        build_person(session, "Eve").time_zone = "Europe/Zurich"
        return build_series(session, cast).pod.program_id


def call(**minutes: tuple[float, float]) -> list[Attendee]:
    minute = timedelta(minutes=1)
    return [
        Attendee(name, f"{name.lower()}@pods.example", (Stay(START + a * minute, START + b * minute),))
        for name, (a, b) in minutes.items()
    ]


GERMAN = as_file(sections(TONGUES["German"], call(Ada=(0, 30), Grace=(0, 4))))
BRITISH = as_file(people(TONGUES["English of Britain"], call(Ada=(0, 30), Grace=(0, 4))))


def coordinator(site: Site):
    return site.browser("eve@pods.example", Role.COORDINATOR, name="Eve")


def post(site: Site, program_id: int, content: bytes | None = None, /, **form: str):
    address = f"/admin/programs/{program_id}/attendance/import"
    if content is None:
        return coordinator(site).post(address, data=form)
    part = b'--part\r\nContent-Disposition: form-data; name="file"; filename="report.csv"\r\n\r\n'
    kind = "multipart/form-data; boundary=part"
    return coordinator(site).post(address, data=part + content + b"\r\n--part--\r\n", content_type=kind)


def hidden(page: str, name: str = "kept") -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])


def choices(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'name="reading" value="([^"]*)"', page)]


def attended(site: Site) -> dict[str, bool | None]:
    with site.tools.database.reading() as session:
        rows = session.execute(
            select(Person.name, Attendance.attended).join(
                Attendance, Attendance.participant_id == Person.participant_id
            )
        )
        return {row[0]: row[1] for row in rows}


def test_eve_sees_what_the_file_would_say_then_imports_it_once(site: Site, program_id: int) -> None:
    page = post(site, program_id, GERMAN)
    assert page.status_code == 200
    assert "Nothing has been changed yet." in page.text
    assert "1 of 3 came" in page.text
    assert "the title fits" in page.text
    assert attended(site) == {}
    (chosen,) = choices(page.text)
    assert "checked" in page.text

    done = post(site, program_id, kept=hidden(page.text), reading=chosen, step="import")
    assert done.status_code == 303
    assert attended(site) == {"Ada": True, "Grace": False, "Alan": False}
    browser = coordinator(site)
    form = {"kept": hidden(page.text), "reading": chosen, "step": "import"}
    again = browser.post(f"/admin/programs/{program_id}/attendance/import", data=form)
    assert "imported before; nothing was changed" in browser.get(again.location).text
    with site.tools.database.reading() as session:
        assert len(session.scalars(select(AttendanceExport)).all()) == 1
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "attendance.import"))
    assert (entry.actor, entry.after) == ("eve@pods.example", {"import": "new", "attended": 1})


def test_whoever_called_by_phone_is_told_with_one_click(site: Site, program_id: int) -> None:
    caller = Attendee("+41 44 555 12 34", "", call(Alan=(0, 30))[0].stays)
    page = post(site, program_id, as_file(sections(TONGUES["German"], [*call(Ada=(0, 30)), caller])))
    done = post(site, program_id, kept=hidden(page.text), reading=choices(page.text)[0], step="import")
    assert attended(site) == {"Ada": True, "Grace": None, "Alan": None}
    eve = coordinator(site)
    pod = eve.get(done.location).text
    action = re.search(r'action="([^"]*/records/\d+/assign)"', pod)
    with site.tools.database.reading() as session:
        alan = session.scalars(select(Person.participant_id).where(Person.name == "Alan")).one()
    assert action is not None
    assert eve.post(action[1], data={"participant": alan}).status_code == 303
    assert attended(site) == {"Ada": True, "Grace": False, "Alan": True}


def test_dates_that_can_be_two_days_are_shown_as_both_and_chosen_by_nobody_else(site: Site, program_id: int) -> None:
    page = post(site, program_id, BRITISH).text
    assert "Its dates can be read in two ways" in page
    assert "4 Mar 2026" in page
    assert "3 Apr 2026" in page
    assert re.search(r'name="reading"[^>]*checked', page) is None
    refused = post(site, program_id, kept=hidden(page), step="import")
    assert refused.status_code == 400
    assert "Choose which session this file is of." in refused.text
    assert attended(site) == {}


def test_another_time_zone_is_tried_and_a_wrong_one_is_named(site: Site, program_id: int) -> None:
    page = post(site, program_id, GERMAN).text
    elsewhere = post(site, program_id, kept=hidden(page), zone="Asia/Tokyo", step="look").text
    assert "No session fits" in elsewhere
    wrong = post(site, program_id, kept=hidden(page), zone="Middle/Earth", step="look")
    assert wrong.status_code == 400
    assert "no time zone" in wrong.text


def test_a_language_nobody_reads_asks_for_its_columns(site: Site, program_id: int) -> None:
    finnish = FINNISH.replace("10.00\t\t", "10:00\t4.3.2026 10:30\tada@pods.example").encode()
    page = post(site, program_id, finnish).text
    assert "Which column is which?" in page
    assert "Liittyi" in page
    answers = {"c-name": "0", "c-joined": "1", "c-left": "2", "c-mail": "3"}
    missing = post(site, program_id, kept=hidden(page), **{**answers, "c-left": ""})
    assert missing.status_code == 400
    shown = post(site, program_id, kept=hidden(page), **answers)
    (chosen,) = choices(shown.text)
    done = post(site, program_id, kept=hidden(shown.text), reading=chosen, step="import", **answers)
    assert done.status_code == 303
    assert attended(site) == {"Ada": True, "Grace": False, "Alan": False}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04\xff", "neither UTF-16"),
        (b"x" * 600_000, "larger than 512 kB"),
        (b"", "empty"),
        (None, "Choose a"),
    ],
)
def test_another_file_is_refused_in_words(site: Site, program_id: int, content: bytes | None, told: str) -> None:
    answer = post(site, program_id, content)
    assert answer.status_code == 400
    assert told in answer.text


def test_a_seal_of_somebody_else_or_of_another_program_opens_nothing(site: Site, program_id: int) -> None:
    kept = hidden(post(site, program_id, GERMAN).text)
    with site.tools.database.transaction() as session:
        other = build_series(session, [build_person(session, "Linus")], name="Pod 2", organizer_id="other")
        other_id = other.pod.program_id
    assert "not there any more" in post(site, other_id, kept=kept).text
    assert "not there any more" in post(site, program_id, kept="forged").text


def test_names_are_shown_without_being_run(site: Site, program_id: int) -> None:
    script = "<script>alert(1)</script>"
    with site.tools.database.transaction() as session:
        session.scalars(select(Person).where(Person.name == "Ada")).one().name = script
    page = post(site, program_id, GERMAN).text
    assert script not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_terminal_asks_by_the_names_of_its_options(
    site: Site, program_id: int, environ: dict[str, str], tmp_path: Path
) -> None:
    def run(content: bytes, *options: str, lang: str = "C") -> subprocess.CompletedProcess[str]:
        (tmp_path / "report.csv").write_bytes(content)
        command = [sys.executable, "-m", "integration.cli", "attendance", "import", str(tmp_path / "report.csv")]
        told = {"PATH": os.environ["PATH"], **environ, "LANG": lang, "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(
            [*command, *options], env=told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
        )

    assert program_id
    zone = run(GERMAN)
    assert (zone.returncode, "--time-zone Europe/Zurich" in zone.stdout) == (1, True)
    order = run(BRITISH, "--time-zone", "Europe/Zurich")
    assert (order.returncode, "--date-order" in order.stdout) == (1, True)
    columns = run(b"Nimi\tA\tB\nAda\t4.3.2026 10:00\t4.3.2026 10:30\n", "--time-zone", "Europe/Zurich")
    assert (columns.returncode, "--columns" in columns.stdout, "Nimi | Ada" in columns.stdout) == (1, True, True)
    away = run(GERMAN, "--time-zone", "Asia/Tokyo")
    assert (away.returncode, "No session was then" in away.stdout) == (1, True)
    other = run(GERMAN, "--time-zone", "Europe/Zurich", "--occurrence", "99")
    assert (other.returncode, "--occurrence" in other.stdout) == (1, True)
    german = run(GERMAN, lang="de_DE.UTF-8").stdout
    assert "Die Datei sagt nicht, in welcher Zeitzone sie heruntergeladen wurde. Nichts wurde importiert." in german
    assert attended(site) == {}
    done = run(BRITISH, "--time-zone", "Europe/Zurich", "--date-order", "dmy")
    assert (done.returncode, "Imported: session" in done.stdout) == (0, True), done.stdout
    again = run(GERMAN, "--time-zone", "Europe/Zurich")
    assert (again.returncode, "Imported before" in again.stdout) == (0, True)
    assert attended(site) == {"Ada": True, "Grace": False, "Alan": False}
    with site.tools.database.reading() as session:
        assert session.scalars(select(Occurrence.attendance).order_by(Occurrence.id)).all()[0] == "measured"
