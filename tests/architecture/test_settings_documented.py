"""The README's table of settings is the one the program reads."""

import re
from pathlib import Path

from integration.config import SETTINGS

README = Path(__file__).parents[2] / "README.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)


def test_each_setting_is_in_the_readme_with_its_meaning_and_default() -> None:
    rows = {name: (meaning, default) for name, meaning, default in ROW.findall(README.read_text(encoding="utf-8"))}
    assert set(rows) == {setting.name for setting in SETTINGS}
    for setting in SETTINGS:
        assert rows[setting.name] == (str(setting.meaning), setting.default)
