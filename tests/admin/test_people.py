"""Grace, a coordinator, looks for people and imports a roster that she has looked at first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, func, insert, select
from werkzeug.test import TestResponse

from integration.admin.models import AuditEntry, CoordinatorLimit
from integration.admin.permissions import Role
from integration.mail.models import SENT, Mail
from integration.outbox import Message
from integration.people.models import OtherAddress, Participant, Person, RosterUpload, Skill
from integration.scheduling.models import PodMember
from tests.attendance.build import build_person, build_series

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SCRIPT = "<script>alert(1)</script>"
HEADER = "name;mail;role;department\n"
ROSTER = HEADER + "Ada Lovelace;ada@pods.example;analyst;research\nGrace Hopper;grace@pods.example;engineer;it\n"


@pytest.fixture
def coordinator(site):
    return site.browser("grace@pods.example", Role.COORDINATOR)


def write(site, *things) -> None:
    with site.tools.database.transaction() as session:
        session.add_all(things)


def person(name: str, **known: object) -> Person:
    return Person(participant=Participant(), name=name, mail=f"{name.lower()}@pods.example", **known)


def upload(browser, content: str | bytes, *, name: str = "roster.csv") -> TestResponse:
    body = content.encode() if isinstance(content, str) else content
    part = f'--part\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return browser.post(
        "/admin/people/import",
        data=part.encode() + body + b"\r\n--part--\r\n",
        content_type="multipart/form-data; boundary=part",
    )


def count(site, entity: type) -> int:
    with site.tools.database.reading() as session:
        return session.scalar(select(func.count()).select_from(entity)) or 0


def test_only_who_coordinates_sees_people(site):
    assert site.browser("mallory@pods.example").get("/admin/people/").status_code == 403
    assert site.browser("alan@pods.example", Role.LEADER).get("/admin/people/import").status_code == 403


def test_an_empty_roster_leads_to_the_import(coordinator):
    page = coordinator.get("/admin/people/").text
    assert "Nobody here yet" in page
    assert 'href="/admin/people/import"' in page


def test_grace_finds_ada_by_part_of_her_name_her_department_and_her_state(site, coordinator):
    today = datetime.now(UTC)
    write(
        site,
        person("Ada", department="research", paused_until=today.date() + timedelta(days=9)),
        person("Alan", department="research"),
        person("Linus", department="it", left_at=today, paused_until=today.date() + timedelta(days=9)),
        person("Barbara", department="it", unreachable_at=today, paused_until=date(2020, 1, 1)),
    )

    def found(query: str) -> set[str]:
        page = coordinator.get(f"/admin/people/?{query}").text
        return {name for name in ("Ada", "Alan", "Linus", "Barbara") if f">{name}</a>" in page}

    assert found("q=aD") == {"Ada"}
    assert found("q=%25") == set()
    assert found("department=research&state=paused") == {"Ada"}
    assert found("state=left") == {"Linus"}
    assert found("state=unreachable") == {"Barbara"}
    assert found("state=here") == {"Alan"}
    assert found("state=nonsense") == {"Ada", "Alan", "Linus", "Barbara"}


def test_ten_thousand_people_come_page_by_page_in_few_queries(site, coordinator):
    numbers = range(10_000)
    with site.tools.database.transaction() as session:
        ids = session.scalars(insert(Participant).returning(Participant.id), [{} for _ in numbers]).all()
        rows = [
            {"participant_id": own, "name": f"Person{n:05}", "mail": f"{n}@x.example"}
            for n, own in zip(numbers, ids, strict=True)
        ]
        session.execute(insert(Person), rows)
    statements: list[str] = []
    event.listen(site.tools.database.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))

    answer = coordinator.get("/admin/people/?page=200&sort=-name")

    assert ">Person00000</a>" in answer.text
    assert len(statements) < 25


def test_adas_page_tells_what_is_known_and_what_was_mailed_but_not_the_words(site, coordinator):
    with site.tools.database.transaction() as session:
        ada = build_person(session, "Ada", others=("ada@home.example",))
        ada.role = SCRIPT
        ada.skills = [Skill(direction="teaches", name=SCRIPT)]
        pod = build_series(session, [ada], name=f"Pod {SCRIPT}").pod
        session.add(PodMember(pod=pod, participant=ada.participant, joined_at=NOW, left_at=NOW))
        session.add(_mail(ada, subject=f"How was it? {SCRIPT}"))
        session.flush()
        address = f"/admin/people/{ada.id}"

    page = coordinator.get(address).text

    assert SCRIPT not in page
    assert "&lt;script&gt;" in page
    assert all(words in page for words in ("ada@home.example", "How was it?", "sent", "Program of Pod"))
    assert "words to Ada alone" not in page
    assert coordinator.get("/admin/people/4711").status_code == 404


def test_a_coordinator_of_one_program_reads_of_no_other(site):
    with site.tools.database.transaction() as session:
        ada = build_person(session, "Ada")
        own = build_series(session, [ada], name="Own pod").pod
        other = build_series(session, [ada], name="Secret pod", organizer_id="another").pod
        session.add_all(PodMember(pod=pod, participant=ada.participant, joined_at=NOW) for pod in (own, other))
        session.add(CoordinatorLimit(mail="eve@pods.example", program_id=own.program_id))
        session.add(_mail(ada, subject="Secret pod: how was it?"))
        session.flush()
        address = f"/admin/people/{ada.id}"

    page = site.browser("eve@pods.example", Role.COORDINATOR).get(address).text

    assert "Own pod" in page
    assert "Secret pod" not in page


def test_erased_and_left_people_are_told_of_without_a_name(site, coordinator):
    write(site, Participant(), person("Linus", left_at=NOW))

    assert "1 person was erased" in coordinator.get("/admin/people/").text
    assert "Left" in coordinator.get("/admin/people/?state=left").text


def test_a_roster_is_looked_at_then_imported_once(site, coordinator):
    looked = upload(coordinator, "\ufeff" + ROSTER + "Nobody;no address;;\n")
    page = coordinator.get(looked.location).text
    assert (looked.status_code, count(site, Person)) == (303, 0)
    assert "no address" in page
    assert "Import 2 people" in page

    first, second = coordinator.post(looked.location), coordinator.post(looked.location)

    assert (first.status_code, second.status_code) == (303, 303)
    assert (count(site, Person), count(site, Message), count(site, AuditEntry)) == (2, 2, 1)
    assert "imported before" in coordinator.get(second.location).text
    with site.tools.database.reading() as session:
        entry, kept = session.scalars(select(AuditEntry)).one(), session.scalars(select(RosterUpload)).one()
        assert (entry.actor, entry.action) == ("grace@pods.example", "people.import")
        assert entry.after is not None
        assert (entry.after["added"], entry.after["refused"]) == (2, 1)
        assert kept.text == ""


def test_the_second_import_of_a_changed_file_says_what_changes(site, coordinator):
    coordinator.post(upload(coordinator, ROSTER).location)

    looked = upload(coordinator, ROSTER.replace("analyst", "lead"))

    assert "Import 1 person<" in coordinator.get(looked.location).text
    coordinator.post(looked.location)
    with site.tools.database.reading() as session:
        assert session.scalars(select(Person.role).where(Person.mail == "ada@pods.example")).one() == "lead"


def test_another_coordinator_and_a_late_one_find_no_file(site, coordinator):
    address = upload(coordinator, ROSTER).location
    assert site.browser("eve@pods.example", Role.COORDINATOR).get(address).status_code == 404

    with site.tools.database.transaction() as session:
        session.scalars(select(RosterUpload)).one().expires_at = NOW

    assert coordinator.post(address).status_code == 404
    upload(coordinator, ROSTER)
    assert count(site, RosterUpload) == 1


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "roster.csv", "is not a text file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "face.png", "does not end in .csv"),
        (b"", "roster.csv", "is empty"),
        (bytes(range(256)), "roster.csv", "is not a text file"),
        ("name;mail\nZoë;zoe@pods.example\n".encode("cp1252"), "roster.csv", "Windows-1252"),
        (b"Ada;ada@pods.example\n", "roster.csv", "no column"),
        (b'name,mail\n"Ada,' + b"x" * 200_000, "roster.csv", "quotes"),
        (b"name,mail\n" + b"x" * (6 * 1024 * 1024), "roster.csv", "larger than 5 MB"),
        (f"name,mail\n{'x' * 900},ada@pods.example\n".encode(), f"{SCRIPT}.csv", "has a cell of 900 characters"),
    ],
    ids=["png", "png by name", "empty", "binary", "windows", "no header", "open quote", "6 MB", "long cell"],
)
def test_a_wrong_file_is_refused_in_words_and_nothing_is_kept(site, coordinator, content, name, words):
    answer = upload(coordinator, content, name=name)
    page = coordinator.get(answer.location).text if answer.status_code == 303 else answer.text

    assert answer.status_code in (303, 400)
    assert words in page
    assert SCRIPT not in page
    assert count(site, Person) == 0


def test_no_file_and_a_file_beyond_every_bound_are_refused(coordinator):
    assert "Choose a file" in coordinator.post("/admin/people/import").text
    assert upload(coordinator, b"x" * (9 * 1024 * 1024)).status_code == 413


def test_who_stands_twice_in_the_file_is_added_once_and_the_second_line_named(coordinator):
    looked = upload(coordinator, ROSTER + "Ada Again;ADA@pods.example;;\n")
    page = coordinator.get(looked.location).text
    assert "who is in line 2" in page
    assert "Import 2 people" in page


def test_the_list_of_refused_lines_holds_no_formula(coordinator):
    looked = upload(coordinator, HEADER + "Ada;=cmd|calc;;\n=Ada;;;\n" * 2)
    listed = coordinator.get(f"{looked.location}/refused.csv")

    assert listed.mimetype == "text/csv"
    assert all(not cell.startswith(("=", "+", "-", "@")) for cell in listed.text.replace("\r\n", ",").split(","))
    assert "has no mail" in listed.text


def test_the_example_can_be_imported_as_it_is(site, coordinator):
    example = coordinator.get("/admin/people/import/example.csv")

    coordinator.post(upload(coordinator, example.data).location)

    assert (count(site, Person), count(site, OtherAddress)) == (2, 1)


def _mail(to: Person, *, subject: str) -> Mail:
    return Mail(
        kind="feedback-request",
        participant=to.participant,
        to_address=to.mail,
        to_name=to.name,
        subject=subject,
        html="<p>words to Ada alone</p>",
        text="words to Ada alone",
        tag=f"tag {subject}",
        created_at=NOW,
        state=SENT,
        sent_at=NOW,
    )
