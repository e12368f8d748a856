"""Pages for everybody: by keyboard, on any width, in both colour schemes."""

import pytest
from tests.browser.browser import Browser

pytestmark = pytest.mark.system

PAGES = {"/": ".show", "/docs": ".opblock", "/auth/signin": "#form", "/auth/signout": "#form"}

# Texts whose contrast with the colour behind them is too weak: WCAG 2.2, 1.4.3 (AA).
WEAK_TEXTS = """
const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const parts = (color) => color.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const over = (top, below) => {
  const [r, g, b, alpha = 1] = top;
  return [r, g, b].map((value, i) => value * alpha + below[i] * (1 - alpha));
};
const behind = (element) => {
  if (!element) return [255, 255, 255];
  const color = parts(getComputedStyle(element).backgroundColor);
  return color[3] === 0 ? behind(element.parentElement) : over(color, behind(element.parentElement));
};
const weak = [];
const texts = document.createTreeWalker(document.querySelector(arguments[0]), NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  const style = getComputedStyle(element);
  if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest('.unseen, :disabled')) continue;
  const back = behind(element);
  const [light, dark] = [luminance(over(parts(style.color), back)), luminance(back)].sort((a, b) => b - a);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const ratio = (light + 0.05) / (dark + 0.05);
  if (ratio < (large ? 3 : 4.5)) weak.push(`${ratio.toFixed(2)} ${element.className}: ${texts.currentNode.data.trim()}`);
}
return weak;
"""  # noqa: E501 - not Python


@pytest.mark.parametrize("path", PAGES)
def test_texts_stand_out_from_what_is_behind_them(browser: Browser, path: str) -> None:
    browser.open(path)
    browser.one(PAGES[path])

    for scheme in ("light", "dark"):
        browser.look(width=1280, scheme=scheme)
        assert browser.run(WEAK_TEXTS, "body") == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_the_window(browser: Browser, path: str) -> None:
    browser.open(path)
    browser.one(PAGES[path])

    for width in (1280, 768, 390, 320):
        browser.look(width=width, scheme="light")
        assert browser.run("return document.documentElement.scrollWidth") <= width


def test_the_landing_page_is_used_by_keyboard(browser: Browser) -> None:
    browser.open("/")
    browser.one(".show")
    browser.one(".state.good")

    reached = [browser.tab() for _ in browser.all("a, button")]

    assert reached == browser.all("a, button")
    names = [element.accessible_name for element in reached]
    assert names[0] == "Skip to the content"
    assert all(names)
    assert len(set(names)) >= len(names) - 5  # four services are ready, and two links to the docs


def test_the_focus_is_seen(browser: Browser) -> None:
    browser.open("/")
    for _ in range(4):
        place = browser.tab()
        assert place.is_displayed()
        assert browser.run("return getComputedStyle(arguments[0]).outlineStyle", place) == "solid"
