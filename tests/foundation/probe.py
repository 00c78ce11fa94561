"""A worker process for tests: its only task writes a line, and hangs where it is told to.

usage: python -m tests.foundation.probe work FILE [hang]
"""

import sys
import time
from pathlib import Path

from integration import jobs, workers
from integration.outbox import Task
from integration.tools import Tools, tools_of_this_process

LOG, HANGS = Path(sys.argv[2]), "hang" in sys.argv


def push(_tools: Tools, series_id: int) -> None:
    with LOG.open("a") as lines:
        lines.write(f"begun {series_id}\n")
    if HANGS:
        time.sleep(600)
    time.sleep(0.2)
    with LOG.open("a") as lines:
        lines.write(f"done {series_id}\n")


jobs.HANDLERS.clear()
jobs.HANDLERS[Task.SERIES_PUSH] = push
jobs.DUTIES = ()
tools = tools_of_this_process()
if sys.argv[1] == "work":
    workers.work(tools)
else:
    workers.keep_ticking(tools)
