"""Look at the built site with a real browser: python docs/check_site.py docs/_build [--screenshots FOLDER] [--pages PATTERN]

It needs Selenium, Chromium and its driver. Every page is shown on a wide and on a narrow screen, light and dark as the system
asks for. These are faults: errors in the console, images that do not load or have no alternative text, formulas that are not
rendered or are above or below their line, code and tables that scroll sideways, text that is cut off, pages that are wider than
the screen, text with little contrast, a theme that does not follow the system, references to Python names without a link, and
links to nothing. Last, the search must find "class_weight".
"""

import argparse
import re
import sys
import threading
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WIDTHS, HEIGHT = {"wide": 1400, "narrow": 390}, 1000
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
BROKEN_IMAGES = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)"
PREPARE = """
    document.querySelectorAll('img').forEach(i => i.loading = 'eager');
    document.head.append(Object.assign(document.createElement('style'), {textContent: '* { transition: none !important; }'}))"""
FORMULAS = "[...document.querySelectorAll('.math.notranslate')]"
RAW_FORMULAS = (
    f"return {FORMULAS}.filter(m => !m.querySelector('mjx-container') || m.querySelector('mjx-merror')).map(m => m.textContent)"
)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
IN_ONE_THEME = {  # fault → JavaScript that returns a list of what is wrong, on each screen in the light theme
    "image without alternative text": """
        return [...document.querySelectorAll('.bd-main img')].filter(i => i.alt.trim().length < 10).map(i => i.src)""",
    "formula not on the line": """
        const probe = () => Object.assign(document.createElement('span'), {style: 'display: inline-block; height: 0; width: 0'});
        return [...document.querySelectorAll('span.math.notranslate mjx-container')].filter(formula => {
            const math = formula.closest('.math'), outside = probe(), inside = probe();
            math.before(outside); formula.prepend(inside);
            const distance = outside.getBoundingClientRect().bottom - inside.getBoundingClientRect().bottom;
            outside.remove(); inside.remove();
            return Math.abs(distance) > 1;
        }).map(formula => formula.textContent)""",
    "code scrolls sideways": """
        return [...document.querySelectorAll('pre')].filter(p => p.scrollWidth > p.clientWidth + 1)
            .map(p => p.textContent.split('\\n').reduce((a, b) => a.length < b.length ? b : a))""",
    "text is cut off": """
        return [...document.querySelectorAll('.bd-article :is(h1, h2, h3, p, li, dt)')]
            .filter(e => e.getBoundingClientRect().width && e.scrollWidth > e.clientWidth + 1 && !e.closest('table'))
            .map(e => e.textContent.slice(0, 60))""",
    "table scrolls sideways": """
        return [...document.querySelectorAll('.bd-article table')].filter(t => t.scrollWidth > t.clientWidth + 1)
            .map(t => t.textContent.replace(/\\s+/g, ' ').slice(0, 60))""",
    "wider than the screen, by pixels": f"return {WIDER} > 0 ? [{WIDER}] : []",
}
LOW_CONTRAST = """
    const parts = color => (color.match(/[\\d.]+/g) || []).map(Number);
    const light = color => parts(color).slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const background = element => {
        for (let e = element; e; e = e.parentElement) {
            const color = getComputedStyle(e).backgroundColor, alpha = parts(color)[3];
            if (alpha === undefined || alpha > 0.5) return color;
        }
        return 'rgb(255, 255, 255)';
    };
    const seen = new Set(), faults = [];
    for (const element of document.querySelectorAll('.bd-main :is(p, td, th, a, li, dt, h1, h2, h3, code, pre span, .sd-btn)')) {
        if (!element.textContent.trim() || !element.offsetParent || element.matches('.headerlink, .linenos')) continue;
        const colors = [getComputedStyle(element).color, background(element)];
        if (seen.has(colors.join())) continue;
        seen.add(colors.join());
        const [low, high] = colors.map(light).sort((a, b) => a - b), ratio = (high + 0.05) / (low + 0.05);
        if (ratio < 4) faults.push(`${ratio.toFixed(1)}: ${element.textContent.trim().slice(0, 40)} (${colors.join(' on ')})`);
    }
    return faults"""
THEME = "return document.documentElement.dataset.theme"
NO_LINK = "return [...document.querySelectorAll('.bd-article code.xref.py')].filter(c => !c.closest('a')).map(c => c.textContent)"
LINKS = "return [...new Set([...document.querySelectorAll('a[href]')].map(a => a.href))]"


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that logs nothing."""

    def log_message(self, *args):
        """Say nothing."""


def main():
    """Look at every page, print the faults, and fail if there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="the folder of the built site")
    parser.add_argument("--screenshots", type=Path, help="folder for pictures of each page")
    parser.add_argument("--pages", default="**/*.html", help="pattern of the pages to look at (default: all)")
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=options.site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    paths = {path.relative_to(options.site) for path in options.site.glob(options.pages)}
    pages = sorted(path.as_posix() for path in paths if "_static" not in path.parts)
    browser = make_browser()
    try:
        faults = [fault for page in pages for fault in faults_of(browser, root, page, options)]
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


def faults_of(browser, root, page, options):
    """What is wrong with a page, on both screens, light and dark."""
    set_width(browser, WIDTHS["wide"])
    set_theme(browser, "light")
    browser.get(f"{root}/{page}")
    browser.execute_script(PREPARE)
    wait(browser, lambda b: not b.execute_script(RAW_FORMULAS) and not b.execute_script(BROKEN_IMAGES))
    yield from (f"{page}: formula not rendered: {text}" for text in browser.execute_script(RAW_FORMULAS))
    yield from (f"{page}: reference without a link: {name}" for name in browser.execute_script(NO_LINK))
    yield from link_faults(browser, root, page, options.site)
    for screen, width in WIDTHS.items():
        set_width(browser, width)
        for theme in ("light", "dark"):
            set_theme(browser, theme)
            where = f"{page} ({screen}, {theme}):"
            wait(browser, lambda b, theme=theme: b.execute_script(THEME) == theme)
            if browser.execute_script(THEME) != theme:
                yield f"{where} the theme does not follow the system"
            wait(browser, lambda b: not b.execute_script(BROKEN_IMAGES))
            yield from (f"{where} image not loaded: {source}" for source in browser.execute_script(BROKEN_IMAGES))
            if theme == "light":
                for fault, script in IN_ONE_THEME.items():
                    yield from (f"{where} {fault}: {found}" for found in browser.execute_script(script))
            if screen == "wide":
                yield from (f"{where} contrast {found}" for found in browser.execute_script(LOW_CONTRAST))
            if options.screenshots:
                save_picture(
                    browser, options.screenshots / f"{page.removesuffix('.html').replace('/', '_')}_{screen}_{theme}.png"
                )
    yield from (f"{page}: console: {message}" for message in console_errors(browser))


def link_faults(browser, root, page, site):
    """Links of a page within the site whose page or anchor does not exist, and links out that are not encrypted."""
    for link in browser.execute_script(LINKS):
        address, anchor = urldefrag(link)
        if address.startswith(root):
            name = unquote(urlparse(address).path).lstrip("/") or "index.html"
            if not (site / name).is_file():
                yield f"{page}: link to a page that is missing: {name}"
            elif anchor and name.endswith(".html") and unquote(anchor) not in anchors(site / name):
                yield f"{page}: link to an anchor that is missing: {name}#{anchor}"
        elif not address.startswith(("https://", "mailto:", "data:", "blob:")):
            yield f"{page}: link out of an unexpected kind: {link}"


@cache
def anchors(path):
    """The ids in a file of HTML."""
    return set(re.findall(r'\bid="([^"]+)"', path.read_text(encoding="utf-8")))


def console_errors(browser):
    """The errors in the console since the last call."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def set_width(browser, width):
    """Give the page this width; the smallest window of a browser is wider than a phone."""
    metrics = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def set_theme(browser, theme):
    """Let the system ask for this theme."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})


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
