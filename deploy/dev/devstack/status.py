"""Looking at a running stack from outside."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

from devstack.health import READY, ask
from devstack.postgres import NAME as POSTGRES
from devstack.processes import processes
from devstack.settings import Settings
from devstack.supervision import pid_of


@dataclass(frozen=True, slots=True)
class Status:
    """How one process is."""

    name: str
    pid: int | None
    port: int
    health: str

    @property
    def healthy(self) -> bool:
        """Whether the process runs and says that it is ready."""
        return self.pid is not None and self.health == READY


def statuses(settings: Settings) -> list[Status]:
    """Ask every process of a running stack, the database included, how it is."""
    listed = processes(settings, os.environ)
    with ThreadPoolExecutor(max_workers=len(listed) + 1) as pool:
        database = pool.submit(_ask_database, settings)
        answers = list(pool.map(lambda process: ask(process.health), listed))
    pids = {process.name: pid_of(settings.run_dir, process.name) for process in listed}
    return [
        Status(
            POSTGRES,
            pid_of(settings.run_dir, POSTGRES),
            settings.ports["PG_PORT"],
            database.result(),
        ),
        *(
            Status(process.name, pids[process.name], process.port, answer)
            for process, answer in zip(listed, answers, strict=True)
        ),
    ]


def database_answers(settings: Settings) -> bool:
    """Tell whether the database of the stack can be used."""
    return _ask_database(settings) == READY


def table(found: list[Status]) -> str:
    """Return what was found as a table for people."""
    rows = [("process", "pid", "port", "state", "health")]
    for each in found:
        state = "running" if each.pid else "not running"
        rows.append((each.name, str(each.pid or "-"), str(each.port), state, each.health))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _ask_database(settings: Settings) -> str:
    try:
        with psycopg.connect(settings.database_url("postgres"), connect_timeout=3) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return "no answer"
    return READY
