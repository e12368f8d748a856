"""Spans, sent to a collector of ours by OpenTelemetry's own protocol."""

from collections.abc import Iterator

import pytest
from tests.observability.collector import Collector, collecting

from devstack.testing import eventually
from service_kit.exported_traces import ExportedTraces
from service_kit.tracing import Kind

SERVER = Kind.SERVER


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as collector:
        for name, value in collector.environment.items():
            monkeypatch.setenv(name, value)
        yield collector


@pytest.fixture
def traces(collector: Collector) -> Iterator[ExportedTraces]:  # noqa: ARG001 tells where to
    traces = ExportedTraces("kit")
    yield traces
    traces.close()


def test_a_span_goes_on_with_its_callers_trace(
    traces: ExportedTraces, collector: Collector
) -> None:
    with traces.span("call", Kind.CLIENT, {"peer.service": "other"}) as call:
        header = traces.header()
        call.say({"http.response.status_code": 200})
    with traces.span("serve", SERVER, {}, parent=header), traces.span("ask", Kind.CLIENT, {}):
        pass

    eventually(lambda: len(collector.spans) == 3)
    found = {span.name: span for span in collector.spans}
    assert len({span.trace_id for span in collector.spans}) == 1
    assert found["serve"].parent_id == found["call"].span_id
    assert found["ask"].parent_id == found["serve"].span_id
    assert found["call"].attributes == {
        "peer.service": "other",
        "http.response.status_code": "200",
    }


def test_of_an_error_only_its_kind_is_told(traces: ExportedTraces, collector: Collector) -> None:
    with pytest.raises(KeyError), traces.span("fail", Kind.INTERNAL, {}):
        raise KeyError("ann@comedy.example")

    eventually(lambda: len(collector.spans) == 1)
    assert collector.spans[0].status == "KeyError"
    assert b"ann@" not in b"".join(collector.received)


def test_all_runs_of_one_work_are_one_trace_to_which_the_request_points(
    traces: ExportedTraces, collector: Collector
) -> None:
    with traces.span("request", SERVER, {}), traces.span("put", Kind.INTERNAL, {}, about="w:1"):
        pass
    for _run in range(2):
        with traces.work("errand", "w:1"), traces.span("step", Kind.INTERNAL, {}):
            pass
    with traces.work("errand", "w:2"):
        pass

    eventually(lambda: len(collector.spans) == 7)
    (put,) = [span for span in collector.spans if span.name == "put"]
    (trace,) = put.links
    assert sorted(span.name for span in collector.trace(trace)) == [
        *("errand", "errand"),
        *("step", "step"),
    ]
    assert b"w:1" not in b"".join(collector.received)
