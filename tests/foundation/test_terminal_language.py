"""The terminal speaks the language of its locale: help, what is wrong with a command, refusals, the doctor."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from integration.commands.click_words import MODULES, WORDS
from integration.language import language_of_locale, speaking
from tests.foundation.test_commands import environment, pods

GERMAN = {"LANG": "de_CH.UTF-8"}


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "de_AT@euro"}, "de"),
        ({"LANG": "fr_CH.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "de_DE.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": ""}, "de"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fr:de:en"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "en"}, "en"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_TIME": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_of_a_terminal_is_found_as_other_tools_find_it(environ: dict[str, str], language: str) -> None:
    assert language_of_locale(environ) == language


def test_help_is_german_down_to_what_click_says_of_itself(tmp_path: Path) -> None:
    whole, one = pods(tmp_path, "--help", **GERMAN), pods(tmp_path, "program", "create", "--help", **GERMAN)

    assert whole.stdout.startswith("Aufruf: ")
    for text in ("Optionen:", "Befehle:", "Diese Hilfe zeigen und enden.", "Wer teilnimmt.", "Die Version zeigen"):
        assert text in whole.stdout
    for text in ("Ein Programm hinzufügen", "[erforderlich]", "[Vorgabe: noch nicht gemessen]", "Personen in einem"):
        assert text in one.stdout


def test_every_help_is_there_in_german_too(tmp_path: Path) -> None:
    """One process asks every command for its help in a language of its own, and finds no help twice."""
    script = (
        "import sys, click; from integration.cli import pods\n"
        "def walk(command):\n"
        "    print(command.help); [print(each.help) for each in command.params if getattr(each, 'help', None)]\n"
        "    [walk(each) for each in getattr(command, 'commands', {}).values()]\n"
        "walk(pods)"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=environment(tmp_path, LANG=each, PYTHONIOENCODING="utf-8"),
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout.splitlines()
        for each in ("C", "de_DE.UTF-8")
    ]
    english, german = (set(filter(None, lines)) for lines in said)
    assert len(english) > 50
    assert english & german == set()


def test_what_is_wrong_with_a_command_is_told_in_german(tmp_path: Path) -> None:
    told = {
        ("plann",): "Fehler: Den Befehl 'plann' gibt es nicht. Meinten Sie 'plan'?",
        ("undo",): "Fehler: Es fehlt das Argument 'PLAN'.",
        ("apply", "first"): "Fehler: Ungültiger Wert für 'PLAN': 'first' ist kein gültiger Wert (integer).",
        ("web", "--port", "0"): "'--port': 0 liegt nicht im Bereich 1<=x<=65535.",
        ("people", "import", "roster.csv"): "Datei 'roster.csv' gibt es nicht.",
        ("metrics", "export", "--format", "xml"): "'xml' ist keines von 'csv', 'json'.",
    }
    for words, sentence in told.items():
        answer = pods(tmp_path, *words, **GERMAN)
        assert answer.returncode == 2
        assert sentence in answer.stderr
        assert "Hilfe gibt 'python -m integration.cli" in answer.stderr
    assert pods(tmp_path, "web", "--port", **GERMAN).stderr == "Fehler: Die Option '--port' braucht einen Wert.\n"


def test_a_wrong_setting_is_refused_in_german_with_its_remedy(tmp_path: Path) -> None:
    answer = pods(tmp_path, "migrate", WEBHOOKS="perhaps", **GERMAN)
    assert answer.returncode == 1
    assert answer.stderr == "Fehler: WEBHOOKS ist 'perhaps'.\nErlaubt sind on oder off.\n"

    script = Path(__file__).parents[2] / "worker.py"
    environ = environment(tmp_path, PORT="http", **GERMAN)
    answer = subprocess.run([sys.executable, script, "work"], env=environ, capture_output=True, text=True, timeout=60)
    assert "Nehmen Sie eine ganze Zahl von 1 bis 65535." in answer.stderr


def test_the_doctor_names_in_german_what_is_missing(tmp_path: Path) -> None:
    pods(tmp_path, "migrate")
    answer = pods(tmp_path, "doctor", **GERMAN)
    assert answer.returncode == 1
    assert re.search(r"^ok +Datenbank$", answer.stdout, re.MULTILINE)
    assert re.search(r"^FEHLT +Einstellung TENANT_ID$", answer.stdout, re.MULTILINE)
    missing = "TENANT_ID ist nicht gesetzt. Setzen Sie TENANT_ID: Verzeichnis-ID (Mandant) Ihres Microsoft 365."
    assert missing in answer.stdout


def test_every_text_of_click_that_we_translate_is_still_said_by_click() -> None:
    """A newer Click may say something else: then its own English would come back unnoticed."""
    source = "\n".join(Path(module.__file__ or "").read_text(encoding="utf-8") for module in MODULES)
    with speaking("en"):
        texts = [str(each) for each in WORDS]
    assert [text for text in texts if text.replace("\n", "\\n").replace("\t", "\\t") not in source] == []
