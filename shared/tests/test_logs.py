import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from service_kit import logs
from service_kit.logs import scrub


@contextmanager
def configured() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers, root.level
    logs.configure(service="things")
    structlog.configure(cache_logger_on_first_use=False)  # later tests have loggers of their own
    try:
        yield
    finally:
        root.handlers, root.level = before
        structlog.reset_defaults()


def output_of(program: str) -> subprocess.Popen[str]:
    setting_up = "from service_kit import logs; logs.configure(service='things')\n"
    return subprocess.Popen(  # noqa: S603 our own program
        [sys.executable, "-c", setting_up + program],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def messages(output: str) -> list[str]:
    return [json.loads(line)["message"] for line in output.splitlines()]


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_librarys_record_is_one_json_object_without_personal_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with configured():
        logging.getLogger("x").info(
            "hello %s\ninjected", "someone@comedy.example", extra={"password": "hunter2"}
        )

    (entry,) = written(capsys)
    assert (entry["service"], entry["logger"], entry["level"]) == ("things", "x", "info")
    assert entry["message"] == "hello [redacted]\ninjected"
    assert entry["password"] == "[redacted]"


def test_an_entry_of_ours_is_one_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with configured(), structlog.contextvars.bound_contextvars(requestId="a-request"):
        structlog.get_logger("y").warning("bye\ninjected", to="someone@comedy.example", token="t")

    (entry,) = written(capsys)
    assert (entry["service"], entry["logger"], entry["level"]) == ("things", "y", "warning")
    assert (entry["message"], entry["to"]) == ("bye\ninjected", "[redacted]")
    assert (entry["token"], entry["requestId"]) == ("[redacted]", "a-request")


def test_a_traceback_is_part_of_its_entry(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        raise KeyError("someone@comedy.example")
    except KeyError as error:
        with configured():
            structlog.get_logger("y").error("failed", exc_info=error)

    (entry,) = written(capsys)
    assert "Traceback" in entry["exception"]
    assert "someone" not in entry["exception"]


def test_what_is_below_the_level_is_not_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with configured():
        structlog.get_logger("y").debug("detail")
        logging.getLogger("x").debug("detail")

    assert written(capsys) == []


def test_an_entry_is_written_a_moment_later_whether_or_not_more_follow() -> None:
    program = "import structlog, time; structlog.get_logger('y').info('alone'); time.sleep(60)"
    with output_of(program) as process:
        assert process.stdout
        line = process.stdout.readline()
        process.kill()

    assert messages(line) == ["alone"]


def test_a_warning_is_written_at_once_with_all_that_came_before() -> None:
    program = """
import os, structlog
structlog.get_logger('y').info('first')
structlog.get_logger('y').warning('second')
os._exit(0)
"""
    with output_of(program) as process:
        assert messages(process.communicate()[0]) == ["first", "second"]


def test_nothing_is_lost_at_the_end_of_a_process() -> None:
    program = """
import structlog
for number in range(1000):
    structlog.get_logger('y').info(str(number))
"""
    with output_of(program) as process:
        assert messages(process.communicate()[0]) == [str(number) for number in range(1000)]


def test_a_forked_process_repeats_nothing_and_says_what_is_its_own() -> None:
    program = """
import os, structlog, time
log = structlog.get_logger('y')
log.info('parent')
if os.fork() == 0:
    log.info('child')
    time.sleep(60)
log.info('parent again')
time.sleep(60)
"""
    with output_of(program) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(3)]
        os.killpg(process.pid, signal.SIGKILL)

    assert sorted(messages("".join(lines))) == ["child", "parent", "parent again"]


def test_without_a_thread_to_spare_entries_are_written_at_once() -> None:
    program = """
import os, structlog, threading
threading.Thread.start = lambda thread: (_ for _ in ()).throw(RuntimeError("no more threads"))
structlog.get_logger('y').info('first')
structlog.get_logger('y').info('second')
os._exit(0)
"""
    with output_of(program) as process:
        assert messages(process.communicate()[0]) == ["first", "second"]


def test_lines_of_processes_that_share_a_pipe_stay_whole() -> None:
    program = """
import os, structlog
os.fork()
os.fork()
for number in range(2000):
    structlog.get_logger('y').info(f"{number} {'x' * 300}")
"""
    with output_of(program) as process:
        said = messages(process.communicate()[0])

    assert sorted(said) == sorted([f"{n} {'x' * 300}" for n in range(2000)] * 4)


def test_what_an_entry_says_of_itself_is_not_overridden(capsys: pytest.CaptureFixture[str]) -> None:
    with configured():
        structlog.get_logger("y").warning("real", message="m", level="l", time="t", logger="x")

    (entry,) = written(capsys)
    assert (entry["message"], entry["level"], entry["logger"]) == ("real", "warning", "y")
    assert entry["time"].endswith("Z")


def test_where_nobody_can_write_work_goes_on() -> None:
    program = """
import contextlib, os, structlog, sys
log = structlog.get_logger('y')
os.dup2(os.open('/dev/full', os.O_WRONLY), 1)
for number in range(1000):
    log.info(str(number))
log.warning('still there')
with contextlib.suppress(OSError):
    sys.stdout.close()
log.info('still')
log.warning('still')
os._exit(7)
"""
    with output_of(program) as process:
        assert process.wait() == 7


@pytest.mark.parametrize(
    "text",
    [
        "someone@comedy.example",
        "GET /people/Some.One+x@comedy.example/x",
        "Bearer abc",
        "sent Basic dXNlcjpwYXNz",
        "cc_abcdefghijklmnop",
        "/api?token=cc_abcdefghijklmnop",
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "/x?q=someone%40comedy.example",
        "someone@пример.рф",
        "someone@xn--e1afmkfd.xn--p1ai",
        "broken\nDETAIL: Key (name)=(one\n\nother) exists\nHINT: it",
        "/x?jwt=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "postgresql://booking:hunter2@127.0.0.1/x",
        "broken\nDETAIL: Key (email)=(x) exists",
    ],
)
def test_what_must_not_be_in_a_log_is_taken_out(text: str) -> None:
    scrubbed = scrub(text)

    assert "[redacted]" in scrubbed
    for secret in ("someone", "one", "other", "cc_", "eyJ", "hunter2", "xn--p1ai", "рф"):
        assert secret not in scrubbed


@pytest.mark.parametrize(
    "text",
    ["request", "/api/v1/shows?city=Hyderabad&from=2026-11-22", "the basic fee", "café: 5 €"],
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        ("no row for UUID('0197a5c2-7d3e-7b41-9f10-5a6b7c8d9e0f')", "no row for UUID('[id]')"),
        ("gone: 0197A5C27D3E7B419F105A6B7C8D9E0F", "gone: [id]"),
        ("url: /people?ids=1&q=Ann+Lee (Caused by x)", "url: /people?[redacted] (Caused by x)"),
        ("GET /people?q=someone: why? because", "GET /people?[redacted] why? because"),
    ],
)
def test_a_text_from_elsewhere_has_no_ids_and_no_query_strings(
    capsys: pytest.CaptureFixture[str], text: str, logged: str
) -> None:
    with configured():
        logging.getLogger("gunicorn.error").warning("%s", text)
        structlog.get_logger("y").warning("failed", reason=text, booking="0197a5c2-7d3e")

    library, own = written(capsys)
    assert library["message"] == logged
    assert (own["reason"], own["booking"]) == (logged, "0197a5c2-7d3e")


@pytest.mark.parametrize("field", ["user", "user_id", "personIds", "owner", "subject", "name"])
def test_a_field_that_would_identify_a_person_is_redacted(
    capsys: pytest.CaptureFixture[str], field: str
) -> None:
    with configured():
        structlog.get_logger("y").warning("done", **{field: "somebody"})

    (entry,) = written(capsys)
    assert entry[field] == "[redacted]"


DYING = """
import threading
from service_kit import logs
logs.configure(service="things")
def die():
    raise KeyError("someone@comedy.example")
thread = threading.Thread(target=die)
thread.start()
thread.join()
die()
"""


def test_what_ends_a_thread_or_the_process_is_an_entry_too() -> None:
    died = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-c", DYING], capture_output=True, text=True, check=False
    )

    entries = [json.loads(line) for line in died.stdout.splitlines()]
    assert (died.returncode, died.stderr) == (1, "")
    assert [entry["message"] for entry in entries] == ["uncaught", "uncaught"]
    assert all("in die" in entry["exception"] for entry in entries)
    assert "someone" not in died.stdout
