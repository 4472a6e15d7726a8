"""`make bench-pages`: how soon a page can be used, with nothing kept in the browser.

Against a running `make run` (PORT says where): each page is opened in browsers of its own, ROUNDS
times, on this machine as it is and with a processor four times slower. Beside it stands the floor:
the smallest answer this server gives, opened the same way. Usable is when all scripts have run and
fields and seats answer; a seat can be picked from when it is first seen. Median and worst, in ms.
"""

import os
import statistics
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chrome import FLAGS, PHONE, chromium

ROUNDS = int(os.environ.get("ROUNDS", "15"))
SLOWER = (1, 4)
READ = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const all = [page, ...performance.getEntriesByType("resource")];
  return {
    answered: page.responseEnd,
    seen: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? page.responseEnd,
    usable: page.domContentLoadedEventEnd,
    bytes: all.reduce((sum, each) => sum + each.transferSize, 0),
  };
}"""


@dataclass(frozen=True)
class Load:
    """One opening: until its answer was there, something was seen, it could be used; in ms."""

    answered: float
    seen: float
    usable: float
    bytes: int


def main() -> int:
    path = chromium()
    if path is None:
        sys.stderr.write("no Chromium found: `make browsers`\n")
        return 1
    base = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        places = {"floor": "/health/live/", "landing": "/", "seat map": _seats(browser, base)}
        for slower in SLOWER:
            for name, place in places.items():
                loads = [_open(browser, base + place, slower) for _ in range(ROUNDS)]
                sys.stdout.write(f"{slower}x  {_line(name, loads)}\n")
    return 0


def _seats(browser: Browser, base: str) -> str:
    """A coach of 72 in a long train, on a day on which every train runs."""
    today = datetime.now(UTC).date()
    day = today + timedelta(days=2 + (6 - today.weekday()) % 7)
    page = browser.new_page(base_url=base)
    page.goto(f"/search/?from=HBC&to=CRB&date={day}")
    found = page.locator('a.fare[href*="class=SL&"]').first.get_attribute("href")
    page.close()
    assert found
    return found


def _open(browser: Browser, address: str, slower: int) -> Load:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(address)
    read = page.evaluate(READ)
    context.close()
    return Load(**read)


def _line(name: str, loads: list[Load]) -> str:
    said = [f"{name:10}"]
    for part in ("answered", "seen", "usable"):
        times = [getattr(load, part) for load in loads]
        said.append(f"{part} {statistics.median(times):5.0f} (worst {max(times):5.0f})")
    return "  ".join([*said, f"{loads[0].bytes / 1000:.1f} KB"])


if __name__ == "__main__":
    sys.exit(main())
