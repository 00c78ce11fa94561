"""The worker: `python worker.py work` answers the doorbell, `python worker.py tick` watches the clock.

Run as many of each as you like, on as many machines: claims and due dates keep them apart. SIGTERM ends either after
what it has begun. The same as `pods worker` and `pods tick`, for process managers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from integration.errors import PodsError
from integration.language import language_of_locale, speaking

USAGE = "usage: python worker.py work|tick"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in ("work", "tick"):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        run(arguments[0])
    except PodsError as error:
        with speaking(language_of_locale(os.environ)):
            print(error, file=sys.stderr)
        return 1
    return 0


def run(role: str) -> None:
    """Settings, wiring, loop; raises SettingRefused before anything is started."""
    from integration import log, workers
    from integration.tools import Tools, tools_of_this_process

    tools = tools_of_this_process()
    log.configure(level=tools.settings.log_level, as_json=tools.settings.log_json)
    loops: dict[str, Callable[[Tools], None]] = {"work": workers.work, "tick": workers.keep_ticking}
    loops[role](tools)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
