"""Look at the built site with a real browser: python docs/check_site.py docs/_build [--screenshots FOLDER]

It needs Selenium, Chromium and its driver. Every page is opened on a wide and on a narrow screen, light and dark. Faults are
errors in the console, images that do not load, formulas that are not rendered, and pages wider than the screen. Last, the search
must find "class_weight".
"""

import argparse
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WIDTHS, HEIGHT = {"narrow": 390, "wide": 1400}, 1000
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
BROKEN_IMAGES = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)"
LOAD_IMAGES = "document.querySelectorAll('img').forEach(i => i.loading = 'eager')"
WITHOUT_MATHJAX = "filter(m => !m.querySelector('[class*=MathJax]'))"
RAW_FORMULAS = f"return [...document.querySelectorAll('.math.notranslate')].{WITHOUT_MATHJAX}.map(m => m.textContent)"
MATH_DONE = "return typeof MathJax === 'undefined' || (MathJax.isReady && MathJax.Hub.queue.pending === 0)"
OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that logs nothing."""

    def log_message(self, *args):
        """Say nothing."""


def main():
    """Look at every page, print the faults, and fail if there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="the folder of the built site")
    parser.add_argument("--screenshots", type=Path, help="folder for a picture of each page")
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=options.site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    pages = sorted(p.relative_to(options.site).as_posix() for p in options.site.rglob("*.html") if "_static" not in p.parts)
    browser = make_browser()
    try:
        faults = [fault for page in pages for fault in faults_of(browser, root, page, options.screenshots)]
        faults += search_faults(browser, root)
    finally:
        browser.quit()
        server.shutdown()
    print(*faults, sep="\n")
    print(f"{len(pages)} pages, {len(faults)} faults")
    sys.exit(bool(faults))


def make_browser():
    """A headless Chromium that keeps what its console shows."""
    options = webdriver.ChromeOptions()
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options)


def faults_of(browser, root, page, screenshots):
    """What is wrong with a page, on both screens, light and dark."""
    for screen, width in WIDTHS.items():
        set_width(browser, width)
        for theme in ("light", "dark"):
            browser.get(f"{root}/{page}")
            browser.execute_script(f"document.documentElement.dataset.theme = document.documentElement.dataset.mode = '{theme}'")
            browser.execute_script(LOAD_IMAGES)
            wait(browser, lambda b: b.execute_script(MATH_DONE) and not b.execute_script(BROKEN_IMAGES))
            where = f"{page} ({screen}, {theme}):"
            yield from (f"{where} console: {message}" for message in console_errors(browser))
            yield from (f"{where} image not loaded: {source}" for source in browser.execute_script(BROKEN_IMAGES))
            yield from (f"{where} formula not rendered: {text}" for text in browser.execute_script(RAW_FORMULAS))
            if (overflow := browser.execute_script(OVERFLOW)) > 0:
                yield f"{where} {overflow} pixels wider than the screen"
            if screenshots:
                save_picture(browser, screenshots / f"{page.removesuffix('.html').replace('/', '_')}_{screen}_{theme}.png")


def console_errors(browser):
    """The errors in the console since the last call, without those of about:blank, with which MathJax tests a browser."""
    messages = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    return [message for message in messages if "about:blank" not in message]


def set_width(browser, width):
    """Give the page this width; the smallest window of a browser is wider than a phone."""
    metrics = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def wait(browser, condition):
    """Wait up to ten seconds for this condition; what does not come is reported as a fault."""
    try:
        WebDriverWait(browser, 10, poll_frequency=0.05).until(condition)
    except Exception as error:
        if type(error).__name__ != "TimeoutException":
            raise


def save_picture(browser, path):
    """Save what the browser shows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(path))


def search_faults(browser, root):
    """The search must find the page on class weights."""
    browser.get(f"{root}/search.html?q=class_weight")
    wait(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "#search-results li a"))
    found = [link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, "#search-results li a")]
    return [] if any("imbalance" in link for link in found) else [f"search for class_weight finds {found}"]


if __name__ == "__main__":
    main()
