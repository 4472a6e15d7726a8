"""Real browsers on the real pages: Chromium, headless, against a server of this process."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from reservations.payments import tasks
from tests.browser.chrome import DESK, FLAGS, PHONE, chromium
from tests.browser.surfing import WATCH_SHIFTS, Surfer
from tests.live.server import Live
from tests.live.server import live_server as live_process
from tests.pages.visiting import PASSWORD
from trains.models import Departure
from users.models import User

PATIENCE_MS = 20_000
SLOWER = float(os.environ.get("SEATLOCK_SLOWER_BROWSER", "1"))
"""How many times slower the browsers are made: 6 finds what fails on machines slower than this."""

Open = Callable[..., Surfer]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ended with these tests: its loop runs in this thread, and no other may beside it."""
    path = chromium()
    if path is None:
        pytest.skip("NO CHROMIUM FOUND: pages are not looked at; `make browsers` installs one")
    # Playwright's loop runs in this thread, where Django then refuses to ask a database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            yield playwright.chromium.launch(executable_path=path, args=list(FLAGS))
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def sockets(browser: Browser, django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    """The process of the live sockets."""
    with django_db_blocker.unblock(), live_process() as live:
        yield live


@pytest.fixture
def site(
    live_server: LiveServer,
    sockets: Live,
    empty_redis: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The server's address. It has no rate limits; its worker is a thread."""
    url = str(live_server.url)
    changes = {"throttles": "off", "public_url": url, "live_url": sockets.url}
    settings.ENV = settings.ENV.model_copy(update=changes)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def at_once(arguments: tuple[str], **_more: Any) -> None:
        threading.Thread(target=tasks.deliver.run, args=arguments).start()

    monkeypatch.setattr(tasks.deliver, "apply_async", at_once)
    return url


@pytest.fixture
def surf(browser: Browser, site: str, departure: Departure) -> Iterator[Open]:
    """Open a browser of somebody's own: `surf()`, `surf("asha")` signed in, `surf(phone=True)`.

    What a page complained of, a policy's refusal above all, fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(said: ConsoleMessage) -> None:
        # The browser itself remarks on answers like 409, and on sockets of a process that died.
        remarks = ("Failed to load resource", "WebSocket connection to")
        if said.type in {"error", "warning"} and not said.text.startswith(remarks):
            complaints.append(said.text)

    def start(name: str = "", *, phone: bool = False, **more: Any) -> Surfer:
        size = PHONE if phone else DESK
        context = browser.new_context(base_url=site, viewport=size, has_touch=phone, **more)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(WATCH_SHIFTS)
        contexts.append(context)
        page: Page = context.new_page()
        slow_down(page)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        surfer = Surfer(page, departure.pk)
        if name:
            User.objects.create_user(name, f"{name}@example.org", PASSWORD)
            surfer.sign_in(name)
        return surfer

    yield start
    for context in contexts:
        context.close()
    assert not complaints


def slow_down(page: Page, times: float = SLOWER) -> None:
    """Its scripts, styles and layout take that many times as long as this machine needs."""
    if times > 1:
        devtools = page.context.new_cdp_session(page)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": times})


@pytest.fixture
def short_holds(settings: Settings, site: str) -> None:
    """Holds last a few seconds."""
    settings.ENV = settings.ENV.model_copy(update={"hold_ttl_seconds": 3})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.django_db(transaction=True))
