"""What the gateway serves itself: the landing page, the API docs, signing in and out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.conftest import Gateway, StartGateway

PAGES = ["/", "/docs", "/auth/signin", "/auth/signout"]
SERVICES = ["identity", "catalog", "booking", "config"]
NAVIGATION = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def policy(text: str) -> dict[str, str]:
    directives = (directive.strip().partition(" ") for directive in text.split(";"))
    return {name: sources for name, _, sources in directives}


def links(html: str) -> set[str]:
    return set(re.findall(r'(?:href|src)="([^"]+)"', html))


@pytest.mark.parametrize("path", [*PAGES, "/docs?service=booking"])
def test_a_page_may_load_and_ask_nothing_from_elsewhere(gateway: Gateway, path: str) -> None:
    answer = gateway.send("GET", path)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    [stated] = answer.headers.get_all("Content-Security-Policy") or []
    assert policy(stated) == POLICY
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not any(gateway.received_by(service) for service in gateway.services)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_script_or_style_of_its_own(gateway: Gateway, path: str) -> None:
    html = gateway.send("GET", path).body.decode()

    assert not re.search(r"<style| style=| on\w+=|<script(?![^>]* src=)|javascript:", html)


@pytest.mark.parametrize("path", PAGES)
def test_whatever_a_page_links_to_is_here(gateway: Gateway, path: str) -> None:
    html = gateway.send("GET", path).body.decode()
    metrics = f"http://127.0.0.1:{gateway.metrics_port}/metrics"

    for link in links(html) - {metrics}:
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in html
        else:
            assert gateway.send("GET", link).status == 200


def test_the_landing_page_says_where_metrics_are(gateway: Gateway) -> None:
    html = gateway.send("GET", "/").body.decode()

    assert f"http://127.0.0.1:{gateway.metrics_port}/metrics" in links(html)
    assert "{{" not in html


def test_everything_that_scripts_and_styles_import_is_here(gateway: Gateway, site: Path) -> None:
    own = [file for file in (site / "assets").glob("*.js") if "swagger" not in file.name]
    imported = {name for file in own for name in re.findall(r'from "\./(.+?)"', file.read_text())}

    assert imported
    for name in imported:
        answer = gateway.send("GET", f"/docs/assets/{name}")
        assert (answer.status, answer.headers["Content-Type"]) == (
            200,
            "text/javascript; charset=utf-8",
        )


@pytest.mark.parametrize("path", ["/docs", "/docs/assets/swagger-ui-bundle.js"])
def test_browsers_keep_a_page_and_ask_whether_it_is_still_the_same(
    gateway: Gateway, path: str
) -> None:
    first = gateway.send("GET", path)
    again = gateway.send("GET", path, {"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status, again.body) == (304, b"")


def test_large_files_are_sent_as_they_were_compressed_beforehand(
    gateway: Gateway, site: Path
) -> None:
    answer = gateway.send(
        "GET", "/docs/assets/swagger-ui-bundle.js", {"Accept-Encoding": "gzip, zstd"}
    )

    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.body == (site / "assets" / "swagger-ui-bundle.js.gz").read_bytes()


@pytest.mark.parametrize("path", [*PAGES, "/docs/assets/site.css"])
def test_head_is_answered_like_get_without_the_body(gateway: Gateway, path: str) -> None:
    head, get = (gateway.send(method, path) for method in ("HEAD", "GET"))

    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Type", "Cache-Control", "Content-Security-Policy"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("path", [*PAGES, "/docs/assets/site.css"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_pages_are_only_read(gateway: Gateway, method: str, path: str) -> None:
    answer = gateway.send(method, path, {}, b"{}")

    assert (answer.status, answer.json["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers.get_all("Allow") == ["GET, HEAD"]


@pytest.mark.parametrize(
    "path",
    [
        "/index.html",
        "/docs.html",
        "/404.html",
        "/Docs",
        "/DOCS/assets/site.css",
        "/assets/site.css",
        "/docs/assets",
        "/docs/assets/",
        "/docs/assets/nothing.js",
        "/docs/assets/x/site.css",
        "/docs/assets/../index.html",
        "/docs/assets/..%2findex.html",
        "/docs/assets/%2e%2e/index.html",
        "/docs/assets/..\\index.html",
        "/docs/assets//site.css",
        "/docs/assets/.site.css",
        "/docs/assets/site.css%00",
        "/docs/../../../etc/passwd",
        "/docs/assets/../../../../../../etc/passwd",
    ],
)
def test_nothing_but_the_pages_and_their_files_is_served(gateway: Gateway, path: str) -> None:
    assert gateway.send("GET", path).status == 404


@pytest.mark.parametrize("path", ["/docs/", "/docs/?service=config"])
def test_the_docs_have_one_address(gateway: Gateway, path: str) -> None:
    answer = gateway.send("GET", path)

    assert (answer.status, answer.headers["Location"]) == (308, "/docs")


@pytest.mark.parametrize("path", ["/nowhere", "/internal", "/%2e%2e/x", "/docs/assets/none.js"])
def test_whoever_navigates_to_nothing_gets_a_page(gateway: Gateway, path: str) -> None:
    answer = gateway.send("GET", path, NAVIGATION)

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"There is nothing at this address." in answer.body
    stated = policy(answer.headers["Content-Security-Policy"])
    assert "script-src" not in stated
    assert stated["default-src"] == "'none'"


@pytest.mark.parametrize("path", ["/api", "/api/v1/nothing", "//api/v1/shows", "/API/v1/shows"])
def test_the_api_answers_a_problem_whatever_is_accepted(gateway: Gateway, path: str) -> None:
    answer = gateway.send("GET", path, NAVIGATION)

    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.json["code"] == "NOT_FOUND"


@pytest.mark.parametrize("service", SERVICES)
def test_the_state_of_a_service_is_what_it_says_of_itself(gateway: Gateway, service: str) -> None:
    credentials = {"Cookie": "next-auth.session-token=live", "Authorization": "Bearer live"}

    answer = gateway.send("GET", f"/status/{service}?x=1", credentials)

    assert (answer.status, answer.service) == (200, service)
    [received] = gateway.received_by(service)
    assert received.target == "/readyz"
    assert received.values("Cookie") == received.values("Authorization") == []


def test_the_state_of_a_service_that_is_down_is_a_problem(halved_gateway: Gateway) -> None:
    answer = halved_gateway.send("GET", "/status/booking")

    assert (answer.status, answer.json["code"]) == (503, "UNAVAILABLE")


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_of_an_api_is_the_part_for_people_outside(
    gateway: Gateway, service: str
) -> None:
    credentials = {"Cookie": "next-auth.session-token=live", "Authorization": "Bearer live"}

    answer = gateway.send("GET", f"/docs/{service}.json?part=all", credentials)

    assert (answer.status, answer.service) == (200, service)
    [received] = gateway.received_by(service)
    assert received.target == "/openapi.json?part=public"
    assert received.values("Cookie") == received.values("Authorization") == []


def test_without_its_folder_of_pages_the_gateway_still_serves_the_api(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start_gateway(SITE=str(tmp_path / "nothing"))

    assert gateway.send("GET", "/api/v1/shows").status == 200
    for path in ("/", "/docs", "/nowhere"):
        answer = gateway.send("GET", path, NAVIGATION)
        assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")
