"""The page at `/`, and the two of signing in and out."""

import pytest
from tests.browser.browser import Browser

from devstack.stack import Stack
from devstack.visitor import Visitor

pytestmark = pytest.mark.system


def test_it_says_what_runs_here_and_how_it_is(browser: Browser) -> None:
    browser.open("/")

    browser.read("All four are ready", "#health")
    assert browser.texts(".card h3") == ["Identity", "Catalog", "Booking", "Config"]
    assert browser.texts(".card .state") == ["Ready"] * 4


def test_a_service_that_is_down_is_shown_and_the_rest_goes_on(
    browser: Browser, stack: Stack
) -> None:
    stack.stop_process("config")
    try:
        browser.open("/")
        browser.read("3 of 4 are ready", "#health")
        assert browser.texts(".card .state") == ["Ready", "Ready", "Ready", "Not ready"]

        browser.open("/docs")
        browser.read("There is no answer from config", "#missing")
        assert browser.texts(".opblock-summary-path")
        assert all("503" in complaint for complaint in browser.take_complaints())
    finally:
        stack.start_process("config")


def test_it_lists_the_shows_that_are_next(browser: Browser, stack: Stack) -> None:
    visitor = Visitor(stack.url)
    shows = visitor.get("/api/v1/shows?limit=6").json()["shows"]
    visitor.close()

    browser.open("/")
    browser.one(".show")

    assert browser.texts(".show h3") == [show["title"] for show in shows]


@pytest.mark.parametrize(
    ("email", "role"),
    [
        ("audience@comedy.example", "Audience"),
        ("organizer@comedy.example", "Organizer"),
        ("admin@comedy.example", "Admin"),
    ],
)
def test_one_signs_in_and_out_by_clicking_and_sees_the_role(
    browser: Browser, email: str, role: str
) -> None:
    browser.open("/")
    browser.sign_in(email)
    assert (browser.path, browser.texts("#account .role")) == ("/", [role])

    browser.click("#account button")
    browser.read("Sign in", "#account")
    assert browser.run("return document.cookie") == ""
    browser.open("/auth/signout")
    browser.read("You are signed out.", "#who")


def test_the_page_of_signing_out_asks_first(browser: Browser) -> None:
    browser.open("/")
    browser.sign_in("audience@comedy.example")

    browser.open("/auth/signout")
    browser.read("your session in this browser ends", "#who")
    browser.click("#form button:enabled")

    browser.read("Sign in", "#account")
    assert browser.path == "/"


def test_signing_in_leads_back_to_where_one_was(browser: Browser) -> None:
    browser.open("/docs")
    browser.sign_in("audience@comedy.example")

    assert browser.path == "/docs"


def test_whoever_declines_at_the_provider_is_told_so(browser: Browser) -> None:
    browser.open("/auth/signin")
    browser.click("#form button:enabled")
    browser.click("button[name='deny']")

    browser.read("This account cannot sign in", "#problem")
    assert browser.path == "/auth/signin"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("error=OAuthSignin", "cannot be reached"),
        ("error=Callback", "could not be completed"),
        ("error=AccessDenied", "cannot sign in"),
        ("error=%3Cimg%20src%3Dx%3E", "could not be completed"),
        ("csrf=true", "out of date"),
    ],
)
def test_the_page_of_signing_in_says_what_went_wrong(
    browser: Browser, query: str, text: str
) -> None:
    browser.open(f"/auth/signin?{query}")

    browser.read(text, "#problem")


def test_without_scripts_it_still_says_what_runs_here_and_where_to_go(browser: Browser) -> None:
    browser.run_no_scripts()
    browser.open("/")

    links = {link.get_attribute("href") for link in browser.all("a")}
    paths = {(link or "").split("/", 3)[-1] for link in links}
    assert {"docs", "api/auth/signin", "status/identity", "api/v1/shows"} <= paths
    assert [title.text for title in browser.all(".card h3")] == [
        *("Identity", "Catalog", "Booking", "Config")
    ]


def test_an_address_that_leads_nowhere_has_a_page(browser: Browser) -> None:
    browser.open("/nowhere")

    browser.read("There is nothing at this address.")
    assert all("404" in complaint for complaint in browser.take_complaints())
