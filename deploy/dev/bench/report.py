"""The table for people and the document for machines."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.bookkeeping import Check
from bench.figures import Figure
from bench.targets import Verdict

_HEADINGS = (
    *("figure", "conn", "per s", "min-max", "p50 ms", "p99 ms", "service", "postgres", "load"),
    *("against", "", "target", "met", "errors"),
)
_LEFT = {0, 10, 13}  # columns of words
_OF_FIGURE, _OF_VERDICT = 9, 4

LEGEND = """\
per s: median of the rounds. service, postgres: processor time per answer in ms, the services with
all their processes. load: what the load generator took of one processor; it runs on the same
machine. Targets are those of the finished system; one that is missed fails nothing."""


def table(figures: Sequence[Figure], verdicts: Sequence[Verdict]) -> str:
    """Return one block of lines for each figure: a line for each of its targets, at least one."""
    rows: list[Sequence[str]] = [_HEADINGS]
    for figure in figures:
        judged = [_judgement(verdict) for verdict in verdicts if verdict.figure == figure.key]
        first, *others = judged or [("",) * _OF_VERDICT]
        rows.append((*_numbers(figure), *first, _errors(figure)))
        rows += [(*("",) * _OF_FIGURE, *other, "") for other in others]
    known = {figure.key for figure in figures}
    rows += [
        (verdict.figure, *("",) * (_OF_FIGURE - 1), *_judgement(verdict), "")
        for verdict in verdicts
        if verdict.figure not in known
    ]
    return _aligned(rows)


def document(
    figures: Sequence[Figure],
    verdicts: Sequence[Verdict],
    checks: Sequence[Check],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Return everything that was found, for `bench.json`."""
    return {
        **about,
        "figures": [
            {
                "name": figure.name,
                "connections": figure.connections,
                "per_second": figure.rate,
                "per_second_by_round": figure.rates,
                "p50_ms": figure.latency_ms(0.50),
                "p99_ms": figure.latency_ms(0.99),
                "service_cpu_ms": figure.service_ms,
                "postgres_cpu_ms": figure.postgres_ms,
                "load_generator_share": figure.generator_share,
                "errors": dict(figure.failures),
            }
            for figure in figures
        ],
        "targets": [
            {
                "figure": verdict.figure,
                "value": verdict.found,
                "unit": verdict.unit,
                "target": verdict.bound,
                "met": verdict.met,
            }
            for verdict in verdicts
        ],
        "checks": [{"statement": check.statement, "holds": check.holds} for check in checks],
    }


def _numbers(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        str(figure.connections),
        f"{figure.rate:,.0f}",
        f"{min(figure.rates):,.0f}-{max(figure.rates):,.0f}",
        _number(figure.latency_ms(0.50)),
        _number(figure.latency_ms(0.99)),
        _number(figure.service_ms, 2),
        _number(figure.postgres_ms, 2),
        f"{figure.generator_share:.0%}",
    )


def _judgement(verdict: Verdict) -> tuple[str, ...]:
    if verdict.found is None:
        return ("-", verdict.unit, verdict.bound, "not measured")
    return (f"{verdict.found:.2f}", verdict.unit, verdict.bound, "yes" if verdict.met else "no")


def _errors(figure: Figure) -> str:
    return ", ".join(f"{count}x {what}" for what, count in figure.failures.most_common())


def _number(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if number in _LEFT else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
