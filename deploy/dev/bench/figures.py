"""What measurements give: slices of one round each, and the figure that all of them make."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Slice:
    """One measurement in one round; processor time in seconds."""

    seconds: float
    answered: int  # as wanted, within `seconds`
    latencies: Sequence[float]  # seconds; of all requests sent within `seconds`, if known
    failures: Counter[str]  # by status and code, or by what else happened; outside `seconds` too
    service_cpu: float | None  # None: no service is involved
    postgres_cpu: float
    generator_cpu: float


@dataclass(slots=True)
class Figure:
    """A measurement's slices of all rounds; properties need at least one."""

    name: str
    connections: int
    slices: list[Slice] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Name and number of connections."""
        return key_of(self.name, self.connections)

    @property
    def rates(self) -> list[float]:
        """Answers per second, by round."""
        return [each.answered / each.seconds for each in self.slices]

    @property
    def rate(self) -> float:
        """Answers per second: the median of the rounds."""
        return median(self.rates)

    @property
    def failures(self) -> Counter[str]:
        """How often what went wrong."""
        return sum((each.failures for each in self.slices), Counter())

    def latency_ms(self, share: float) -> float | None:
        """Return within how many milliseconds this share of the requests was answered."""
        latencies = [latency for each in self.slices for latency in each.latencies]
        return percentile(latencies, share) * 1000 if latencies else None

    @property
    def service_ms(self) -> float | None:
        """Processor time of the services involved per answer, in milliseconds."""
        used = [each.service_cpu for each in self.slices if each.service_cpu is not None]
        return self._per_answer(sum(used)) if used else None

    @property
    def postgres_ms(self) -> float | None:
        """Processor time of Postgres per answer, in milliseconds."""
        return self._per_answer(sum(each.postgres_cpu for each in self.slices))

    @property
    def generator_share(self) -> float:
        """Part of one processor that the load generator itself took."""
        wall = sum(each.seconds for each in self.slices)
        return sum(each.generator_cpu for each in self.slices) / wall

    def _per_answer(self, seconds: float) -> float | None:
        answered = sum(each.answered for each in self.slices)
        return seconds * 1000 / answered if answered else None


def key_of(name: str, connections: int) -> str:
    """Return by what a figure is found."""
    return f"{name} @{connections}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    rank = -int(-share * len(values) // 1)  # rounded up
    return sorted(values)[max(rank, 1) - 1]
