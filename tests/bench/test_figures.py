from collections import Counter

import pytest

from bench.figures import Figure, Slice, percentile
from bench.load import Answer
from bench.programme import Ledger, slice_of


def one_second(answered: int, *, latencies: tuple[float, ...] = (), failed: int = 0) -> Slice:
    return Slice(
        seconds=1.0,
        answered=answered,
        latencies=latencies,
        failures=Counter({"503": failed}) if failed else Counter(),
        service_cpu=0.5,
        postgres_cpu=0.1,
        generator_cpu=0.25,
    )


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1), (0.991, 100)]
)
def test_a_percentile_is_the_value_that_so_many_do_not_exceed(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_figure_is_the_median_of_its_rounds() -> None:
    figure = Figure("booking", 64, [one_second(100), one_second(400), one_second(250)])

    assert figure.rate == 250
    assert figure.rates == [100, 400, 250]
    assert figure.service_ms == pytest.approx(2.0)
    assert figure.postgres_ms == pytest.approx(0.4)
    assert figure.generator_share == pytest.approx(0.25)
    assert figure.latency_ms(0.5) is None


def test_a_figure_takes_latencies_and_failures_of_all_rounds() -> None:
    figure = Figure(
        "booking",
        64,
        [one_second(2, latencies=(0.1, 0.2), failed=1), one_second(1, latencies=(0.4,), failed=2)],
    )

    assert figure.latency_ms(0.5) == pytest.approx(200)
    assert figure.failures == {"503": 3}


def test_a_figure_without_answers_costs_nothing_per_answer() -> None:
    assert Figure("booking", 64, [one_second(0)]).service_ms is None


def test_a_slice_counts_what_is_answered_within_it_and_times_what_is_sent_within_it() -> None:
    answers = [
        Answer(0.9, 1.1, ""),
        Answer(1.2, 1.5, ""),
        Answer(1.8, 2.3, ""),
        Answer(1.3, 1.4, "503"),
        Answer(2.1, 2.2, ""),
    ]

    found = slice_of(answers, 1.0, 2.0, 0.5, 0.1, 0.2)

    assert found.answered == 2
    assert found.latencies == pytest.approx([0.3, 0.5])
    assert found.failures == {"503": 1}


def test_a_refused_booking_is_known_not_to_exist_a_failed_one_is_not() -> None:
    ledger = Ledger()

    ledger.note([Answer(0, 1, failure) for failure in ("", "", "409 SOLD_OUT", "503", "closed")])

    assert ledger.counts == {"confirmed": 2, "unknown": 2}
