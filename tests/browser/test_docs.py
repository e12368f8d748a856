"""The page at `/docs`: all four APIs."""

import json

import pytest
from selenium.webdriver.common.keys import Keys
from tests.browser.browser import Browser

from devstack.settings import CHECKOUT, SERVICES
from devstack.stack import Stack
from devstack.visitor import Visitor

pytestmark = pytest.mark.system

METHODS = {"get", "post", "put", "patch", "delete"}


def public_operations(service: str) -> set[tuple[str, str]]:
    document = json.loads((CHECKOUT / "services" / service / "openapi.json").read_text())
    return {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in METHODS & item.keys()
        if path.startswith("/api/")
    }


def listed(browser: Browser) -> set[tuple[str, str]]:
    methods = browser.texts(".opblock-summary-method")
    paths = browser.run(
        "return [...document.querySelectorAll('.opblock-summary-path')]"
        ".map((place) => place.dataset.path)"
    )
    return set(zip(methods, paths, strict=True))


def open_docs(browser: Browser, query: str = "") -> None:
    browser.open(f"/docs{query}")
    browser.one(".opblock")


def open_operation(browser: Browser, method: str, path: str) -> str:
    """Open an operation by keyboard, and return a selector of it."""
    found = f".opblock-{method}:has([data-path='{path}'])"
    browser.run("arguments[0].scrollIntoView({block: 'center'})", browser.one(found))
    browser.one(f"{found} .opblock-summary-control").send_keys(Keys.ENTER)
    browser.one(f"{found} .opblock-body")
    return found


def execute(browser: Browser, operation: str) -> None:
    for button in (".try-out__btn", ".execute"):
        place = browser.one(f"{operation} {button}")
        browser.run("arguments[0].scrollIntoView({block: 'center'})", place)
        place.click()


def test_it_lists_every_public_operation_of_all_four_apis_and_no_other(browser: Browser) -> None:
    open_docs(browser)

    expected = {operation for service in SERVICES for operation in public_operations(service)}
    assert listed(browser) == expected
    assert browser.texts("#found") == [f"{len(expected)} operations"]


@pytest.mark.parametrize("service", SERVICES)
def test_one_api_can_be_looked_at_alone(browser: Browser, service: str) -> None:
    open_docs(browser, f"?service={service}")

    assert listed(browser) == public_operations(service)


def test_operations_are_found_by_words(browser: Browser) -> None:
    open_docs(browser)
    browser.one("#words").send_keys("tickets png")

    browser.read("1 operation", "#found")
    path = "/api/v1/bookings/{booking_id}/tickets/{seat}.png"
    browser.until(lambda: listed(browser) == {("GET", path)}, path)

    browser.one("#words").send_keys(" nothing like it")
    browser.read("No operations", "#found")


def test_an_operation_opens_and_says_who_may_call_it_and_what_it_answers(browser: Browser) -> None:
    open_docs(browser, "?service=booking")
    operation = open_operation(browser, "post", "/api/v1/bookings")

    browser.read("Who may call it: signed in", operation)
    for text in ("Idempotency-Key", "showId", "201", "SOLD_OUT", "SHOW_NOT_FOUND"):
        browser.read(text, operation)


def test_trying_it_out_is_done_as_who_is_signed_in(browser: Browser) -> None:
    open_docs(browser)
    browser.sign_in("audience@comedy.example")
    browser.one(".opblock")
    me = open_operation(browser, "get", "/api/auth/me")
    execute(browser, me)
    browser.read("audience@comedy.example", f"{me} .live-responses-table")

    # what changes something needs the origin of our own pages beside the cookie
    sessions = open_operation(browser, "delete", "/api/auth/sessions")
    execute(browser, sessions)
    browser.until(
        lambda: (
            browser.texts(f"{sessions} .live-responses-table .response-col_status")[-1:] == ["200"]
        ),
        "an answer of 200",
    )


def test_trying_it_out_with_an_api_token_is_done_as_its_owner(
    browser: Browser, stack: Stack
) -> None:
    owner = Visitor(stack.url)
    owner.sign_in("comedian@comedy.example")
    token = owner.post("/api/auth/tokens", {"name": "docs"}).json()["token"]
    owner.close()

    open_docs(browser, "?service=identity")
    browser.click(".btn.authorize")
    browser.one(".auth-container input").send_keys(token, Keys.ENTER)
    browser.click(".auth-btn-wrapper .btn-done")
    me = open_operation(browser, "get", "/api/auth/me")
    execute(browser, me)

    browser.read("comedian@comedy.example", f"{me} .live-responses-table")
