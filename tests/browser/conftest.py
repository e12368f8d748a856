"""The whole system, looked at through a real browser; skipped where there is none."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from tests.browser.browser import LOCAL, Browser, Programs, installed, start

from devstack.stack import Stack


@pytest.fixture(scope="session")
def programs() -> Programs:
    found = installed()
    if found is None:
        pytest.skip("there is no Chromium with its driver: `make browser` installs them")
    return found


@pytest.fixture(scope="session")
def _driver(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    driver = start(programs, tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def browser(_driver: Chrome, stack: Stack) -> Iterator[Browser]:
    """A browser in which no page of ours may complain, nor send requests to anybody else."""
    browser = Browser(_driver, stack.url)
    yield browser
    assert browser.take_complaints() == []
    assert browser.asked_of() <= set(LOCAL)
