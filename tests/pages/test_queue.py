"""What a page leaves to a worker reaches the worker's queue."""

import subprocess
import sys

import pytest
from kombu.exceptions import OperationalError

from config.embedded.places import CHECKOUT
from tests.pages.visiting import Visit, says
from web import tasks

ASK = """
import config.wsgi
from celery import current_app
from django.conf import settings
from web.tasks import send_reset_link
assert current_app.conf.broker_url == send_reset_link.app.conf.broker_url == settings.ENV.broker_url
"""


def test_a_web_process_queues_where_the_worker_listens() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=CHECKOUT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_a_queue_that_is_away_is_told(stranger: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.send_reset_link, "delay", away)
    page = stranger.post("/password/", {"email": "asha@example.org"})
    assert page.status_code == 503
    assert says(page, "Nothing was lost.")
