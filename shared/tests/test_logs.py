import pytest

from service_kit.logs import scrub


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
        "/x?jwt=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "postgresql://booking:hunter2@127.0.0.1/x",
        "broken\nDETAIL: Key (email)=(x) exists",
    ],
)
def test_what_must_not_be_in_a_log_is_taken_out(text: str) -> None:
    assert scrub(text) != text
    assert "[redacted]" in scrub(text)


@pytest.mark.parametrize(
    "text",
    ["request", "/api/v1/shows?city=Hyderabad&from=2026-11-22", "the basic fee", "café: 5 €"],
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text
