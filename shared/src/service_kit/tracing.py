"""Traces, sent by OpenTelemetry if an exporter is set; otherwise nothing of it is even imported.

Spans say what was done and how long it took, not for whom: routes instead of paths, statements
without parameters, of an error its kind. The library's own instrumentation would say more.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import Enum, auto
from typing import Any, Protocol

import psycopg

ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADER = "traceparent"  # W3C Trace Context

Attributes = Mapping[str, str | int]


class Kind(Enum):
    """Which side of a call a span is, if it is one."""

    INTERNAL = auto()
    SERVER = auto()
    CLIENT = auto()


class Span(Protocol):
    """What is being done, and what can be said of it."""

    def say(self, attributes: Attributes) -> None:
        """Add what became known meanwhile."""

    def fail(self, reason: str) -> None:
        """Say in a word that it did not succeed."""


class Tracer(Protocol):
    """Takes spans and sends them somewhere."""

    def span(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: str | None = None,
        about: str | None = None,
    ) -> AbstractContextManager[Span]:
        """Open a span below the current one, or below a caller's header."""

    def work(self, name: str, work_id: str) -> AbstractContextManager[Span]:
        """Open a span of durable work in the one trace that this work has."""

    def header(self) -> str | None:
        """Return what tells another process the current span."""


class _Unheard:
    def say(self, attributes: Attributes) -> None:
        pass

    def fail(self, reason: str) -> None:
        pass

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_error: object) -> None:
        pass


_UNHEARD = _Unheard()
_tracer: Tracer | None = None


def configure(*, service: str) -> None:
    """Begin to trace, if the environment says where to; before engines and apps are made."""
    global _tracer
    if not os.environ.get(ENDPOINT_VARIABLE):
        return
    from service_kit.exported_traces import ExportedTraces

    _tracer = ExportedTraces(service)


def on() -> bool:
    """Return whether anybody hears of spans."""
    return _tracer is not None


def span(
    name: str,
    kind: Kind = Kind.INTERNAL,
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
    about: str | None = None,
) -> AbstractContextManager[Span]:
    """Trace what the block does, as a part of what is being done.

    Args:
        name: one of a few: no ids.
        kind: whether it serves or makes a call.
        attributes: what is known of it; of no person.
        parent: the header of the caller whose request is served.
        about: the id of durable work to whose trace this one points.
    """
    if _tracer is None:
        return _UNHEARD
    return _tracer.span(name, kind, attributes or {}, parent=parent, about=about)


def work(name: str, work_id: str | None) -> AbstractContextManager[Span]:
    """Trace a run of durable work; all runs of one work are one trace, whoever does it."""
    if _tracer is None or work_id is None:
        return _UNHEARD
    return _tracer.work(name, work_id)


def headers() -> dict[str, str]:
    """Return what a request has to carry for its receiver to go on with the current trace."""
    header = _tracer.header() if _tracer else None
    return {HEADER: header} if header else {}


class TracedCursor(psycopg.Cursor[Any]):
    """A cursor whose statements are spans; parameters are not part of a statement's text."""

    def execute(self, query: Any, *arguments: Any, **options: Any) -> "TracedCursor":
        """Like psycopg's."""
        with _statement(query):
            return super().execute(query, *arguments, **options)

    def executemany(self, query: Any, *arguments: Any, **options: Any) -> None:
        """Like psycopg's."""
        with _statement(query):
            super().executemany(query, *arguments, **options)


@contextmanager
def _statement(query: object) -> Iterator[None]:
    text = query if isinstance(query, str) else type(query).__name__
    attributes = {"db.system.name": "postgresql", "db.query.text": text}
    with span(f"postgres {text.split(None, 1)[0].upper()}", Kind.CLIENT, attributes):
        yield
