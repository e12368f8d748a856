import json
from collections import Counter

from bench.bookkeeping import Check
from bench.figures import Figure, Slice
from bench.names import HELLO, HOT, PGBENCH_HOT, with_stored
from bench.report import document, table
from bench.targets import STORED_TARGETS, TARGETS, Verdict, verdicts


def figure(name: str, connections: int, *, rate: int, service_cpu: float | None = None) -> Figure:
    part = Slice(
        seconds=1.0,
        answered=rate,
        latencies=[0.010] * 98 + [0.040] * 2,
        failures=Counter(),
        service_cpu=service_cpu,
        postgres_cpu=0.1,
        generator_cpu=0.2,
    )
    return Figure(name, connections, [part])


def judged(*figures: Figure) -> dict[tuple[str, str], Verdict]:
    found = verdicts({each.key: each for each in figures})
    return {(verdict.figure, verdict.unit): verdict for verdict in found}


def test_a_ratio_is_taken_against_the_best_of_the_alternatives() -> None:
    found = judged(
        figure(HOT, 64, rate=1000),
        figure(PGBENCH_HOT, 4, rate=2000),
        figure(PGBENCH_HOT, 8, rate=1900),
    )

    verdict = found[f"{HOT} @64", "x pgbench, hot row"]
    assert verdict.found == 0.5
    assert verdict.met


def test_a_ratio_below_its_target_is_not_met() -> None:
    found = judged(figure(HOT, 64, rate=399), figure(HELLO, 64, rate=1000))

    assert not found[f"{HOT} @64", "x hello"].met


def test_limits_hold_for_cost_and_tail() -> None:
    found = judged(
        figure(HOT, 64, rate=1000, service_cpu=1.3), figure(HOT, 16, rate=1000, service_cpu=1.0)
    )

    assert not found[f"{HOT} @64", "ms of the service each"].met
    assert found[f"{HOT} @64", "ms of Postgres each"].met
    assert found[f"{HOT} @16", "p99 / p50"].found == 4.0


def test_what_was_not_measured_is_not_met_and_said_to_be_so() -> None:
    hot = figure(HOT, 64, rate=1000)
    found = verdicts({hot.key: hot})

    assert not any(verdict.met for verdict in found if verdict.found is None)
    last_line = table([hot], found).splitlines()[-1]
    assert last_line.endswith("not measured")


def test_the_table_has_a_line_for_each_target_of_a_figure() -> None:
    figures = [figure(HELLO, 64, rate=2000), figure(HOT, 64, rate=1000, service_cpu=1.0)]
    all_of_them = verdicts({each.key: each for each in figures})
    shown = [verdict for verdict in all_of_them if verdict.figure == figures[1].key]

    heading, hello, first, *others = table(figures, shown).splitlines()

    assert heading.split()[:2] == ["figure", "conn"]
    assert " ".join(hello.split()) == f"{HELLO} 64 2,000 2,000-2,000 10.0 40.0 0.05 20%"
    assert first.startswith(HOT)
    assert len(others) == len(shown) - 1
    assert any("0.50  x hello" in line and "yes" in line for line in others)


def test_the_document_has_everything_that_the_table_has() -> None:
    figures = [figure(HELLO, 64, rate=2000)]
    found = verdicts({figures[0].key: figures[0]})

    written = json.loads(
        json.dumps(document(figures, found, [Check("seats add up", True)], {"cpus": 2}))
    )

    assert written["cpus"] == 2
    assert written["figures"][0]["per_second"] == 2000
    assert written["figures"][0]["p99_ms"] == 40.0
    assert len(written["targets"]) == len(found)
    assert written["checks"] == [{"statement": "seats add up", "holds": True}]


def test_what_a_million_stored_bookings_cost_is_judged_if_they_were_stored() -> None:
    figures = {
        each.key: each
        for each in (figure(HOT, 64, rate=1000), figure(with_stored(HOT), 64, rate=780))
    }

    (hot, *_) = verdicts(figures, STORED_TARGETS)

    assert (hot.figure, hot.found, hot.met) == (f"{with_stored(HOT)} @64", 0.78, True)
    assert not any(verdict.unit == "x empty" for verdict in verdicts(figures, TARGETS))
