"""A real Chromium, as far as tests use it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

Found = TypeVar("Found")

SECONDS = 30.0
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-proxy-server"),
)
LOCAL = ("127.0.0.1", "localhost")

# A page hears of its scheme and width with its next frame; what changes then may take a while.
SETTLED = """
const done = arguments[arguments.length - 1];
const settle = () => {
  const changes = document.getAnimations().filter((each) => each instanceof CSSTransition);
  if (!changes.length) return done();
  Promise.allSettled(changes.map((each) => each.finished)).then(settle);
};
requestAnimationFrame(() => requestAnimationFrame(settle));
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where Chromium and its driver are."""

    chromium: str
    driver: str


def installed() -> Programs | None:
    """Return the programs of this machine, None if one is missing."""
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    driver = shutil.which("chromedriver")
    return Programs(chromium, driver) if chromium and driver else None


def start(programs: Programs, profile: Path) -> Chrome:
    """Start Chromium with an empty profile."""
    options = ChromeOptions()
    options.binary_location = programs.chromium
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Chrome(options=options, service=Service(programs.driver))


class Browser:
    """Somebody's browser at our site; signed out and without a history."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self._driver = driver
        self._url = url
        self._asked: list[str] = []
        self._send("Network.clearBrowserCookies")
        self._send("Emulation.setScriptExecutionDisabled", value=False)
        self.look(width=1280, scheme="light")
        self.take_complaints()
        self.asked_of()
        self._asked.clear()

    @property
    def path(self) -> str:
        """The path of the page that is open."""
        return urlsplit(self._driver.current_url).path

    def open(self, path: str) -> None:
        self._driver.get(self._url + path)

    def look(self, *, width: int, scheme: str, height: int = 900) -> None:
        """Have a window of this width, prefer a colour scheme, and wait until the page looks so."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._send("Emulation.setDeviceMetricsOverride", **size)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._send("Emulation.setEmulatedMedia", features=[feature])
        self._driver.execute_async_script(SETTLED)

    def run_no_scripts(self) -> None:
        self._send("Emulation.setScriptExecutionDisabled", value=True)

    def press(self, *keys: str) -> None:
        """Press keys wherever the focus is."""
        self._driver.switch_to.active_element.send_keys(*keys)

    def tab(self) -> WebElement:
        """Go on to what the Tab key leads to, and return it."""
        self.press(Keys.TAB)
        return self._driver.switch_to.active_element

    def one(self, selector: str) -> WebElement:
        """Return the first element that matches, once there is one."""
        return self.until(lambda: next(iter(self.all(selector)), None), selector)

    def all(self, selector: str) -> list[WebElement]:
        return self._driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements that match, in one look."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText.trim())"
        )
        return list(self.run(script, selector))

    def click(self, selector: str) -> None:
        self.one(selector).click()

    def read(self, text: str, selector: str = "body") -> None:
        """Wait until an element that matches says this, among other things."""
        self.until(lambda: any(text in each for each in self.texts(selector)), f"{text!r}")

    def until(self, look: Callable[[], Found | None], what: str) -> Found:
        """Wait until `look` returns something true.

        Raises:
            TimeoutException: it did not; with what was looked for.
        """
        waiting = WebDriverWait(self._driver, SECONDS, poll_frequency=0.1)
        at = self._driver.current_url
        return waiting.until(lambda _: look() or False, f"no {what}, asked for at {at}")

    def run(self, script: str, *arguments: object) -> Any:
        return self._driver.execute_script(script, *arguments)

    def sign_in(self, email: str) -> None:
        """Sign in by clicking, from a page that offers it to the development provider and back."""
        self.click("#account a[href^='/api/auth/signin']")
        self.click("#form button:enabled")
        self.click(f"button[value='{email}']")
        self.one("#account .who")

    def take_complaints(self) -> list[str]:
        """Return what the console said since the last call, violations of the policy included."""
        return [
            entry["message"]
            for entry in self._driver.get_log("browser")  # type: ignore[no-untyped-call]
            if entry["level"] in ("SEVERE", "WARNING")
        ]

    def asked_of(self) -> set[str]:
        """Return the hosts that pages have sent requests to."""
        for entry in self._driver.get_log("performance"):  # type: ignore[no-untyped-call]
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self._asked.append(message["params"]["request"]["url"])
        return {urlsplit(url).hostname or url for url in self._asked if url.startswith("http")}

    def _send(self, command: str, **parameters: object) -> None:
        self._driver.execute_cdp_cmd(command, parameters)
