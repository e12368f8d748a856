"""Traces on their way to a collector by OTLP over HTTP; imported only if one is set."""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service_kit.tracing import HEADER, Attributes, Kind

_KINDS = {
    Kind.INTERNAL: trace.SpanKind.INTERNAL,
    Kind.SERVER: trace.SpanKind.SERVER,
    Kind.CLIENT: trace.SpanKind.CLIENT,
}
_PROPAGATOR = TraceContextTextMapPropagator()
_chosen_trace: ContextVar[int | None] = ContextVar("chosen_trace", default=None)


class _Ids(RandomIdGenerator):
    """Random ids, but for the trace of durable work: any worker that does it knows its id."""

    def generate_trace_id(self) -> int:
        return _chosen_trace.get() or super().generate_trace_id()


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def say(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def fail(self, reason: str) -> None:
        self._span.set_status(trace.StatusCode.ERROR, reason)


class ExportedTraces:
    """Sends spans in batches, from a thread of its own in each process that has any.

    How often and how many is up to the variables of OpenTelemetry, `OTEL_TRACES_SAMPLER` and
    others.
    """

    def __init__(self, service: str) -> None:
        """Prepare; a process begins to export with its first span, after it was forked."""
        self._service = service
        self._provider: TracerProvider | None = None
        self._starting = threading.Lock()
        os.register_at_fork(after_in_child=self._begin_anew)

    @contextmanager
    def span(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: str | None = None,
        about: str | None = None,
    ) -> Iterator[_Span]:
        """Open a span below the current one, or below a caller's header."""
        context = _PROPAGATOR.extract({HEADER: parent}) if parent else None
        links = [trace.Link(_context_of(about))] if about else []
        with self._open(name, kind, attributes, context, links) as span:
            yield span

    @contextmanager
    def work(self, name: str, work_id: str) -> Iterator[_Span]:
        """Open a span of durable work in the one trace that this work has."""
        token = _chosen_trace.set(_context_of(work_id).trace_id)
        try:
            with self._open(name, Kind.INTERNAL, {}, Context(), []) as span:
                yield span
        finally:
            _chosen_trace.reset(token)

    def header(self) -> str | None:
        """Return what tells another process the current span."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get(HEADER)

    def close(self) -> None:
        """Send what is left; the end of a process does so by itself."""
        if self._provider is not None:
            self._provider.shutdown()

    @contextmanager
    def _open(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        context: Context | None,
        links: list[trace.Link],
    ) -> Iterator[_Span]:
        with self._tracer().start_as_current_span(
            name,
            context,
            _KINDS[kind],
            dict(attributes),
            links,
            record_exception=False,  # what errors say may name people
            set_status_on_exception=False,
        ) as opened:
            span = _Span(opened)
            try:
                yield span
            except BaseException as error:
                span.fail(type(error).__name__)
                raise

    def _tracer(self) -> trace.Tracer:
        if self._provider is None:
            with self._starting:
                if self._provider is None:
                    resource = Resource.create({"service.name": self._service})
                    provider = TracerProvider(resource=resource, id_generator=_Ids())
                    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
                    self._provider = provider
        return self._provider.get_tracer("service_kit")

    def _begin_anew(self) -> None:
        self._provider = None
        self._starting = threading.Lock()


def _context_of(work_id: str) -> trace.SpanContext:
    """Return the trace of durable work; its parts meet there without anything being stored."""
    digest = hashlib.sha256(work_id.encode()).digest()
    return trace.SpanContext(
        trace_id=int.from_bytes(digest[:16]),
        span_id=int.from_bytes(digest[16:24]),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
