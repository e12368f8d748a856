"""What the figures are called, in the report and where targets refer to them."""

HELLO = "bare Flask hello"
PGBENCH_HOT = "pgbench, hot row"
PGBENCH_SPREAD = "pgbench, 100 rows"
HOT = "booking, hot show"
SPREAD = "booking, 100 shows"
THROUGH_GATEWAY = "booking through the gateway"
SPREAD_THROUGH_GATEWAY = "100 shows through the gateway"
SOLD_OUT = "refusal: sold out"
DISCOVERY = "discovery, page of 50"
UNCHANGED = "discovery, unchanged (304)"
DISCOVERY_THROUGH_GATEWAY = "discovery through the gateway"
SHOW = "one show's page"
EXCHANGE = "session to token"
OWN_SALES = "a creator's sales"
OWN_DASHBOARD = "a creator's dashboard"
COLLECTIONS = "admin's collections"


def with_stored(name: str) -> str:
    """Return what a figure is called when a million bookings are stored."""
    return f"{name}, 1M stored"
