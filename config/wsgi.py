"""The WSGI entry: `granian --interface wsgi config.wsgi:application`."""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.http.metrics_folder import share_between_processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
share_between_processes(Path(__file__).resolve().parents[1] / ".data" / "metrics")

django_application = get_wsgi_application()

# All need the settings above. Tasks that a request queues go to our broker, not to a default one.
import celery_app  # noqa: E402, F401
from config.garbage import settle_down  # noqa: E402
from config.http.short_way import ShortWay  # noqa: E402
from config.http.unsized import with_lengths  # noqa: E402
from config.one_processor import keep_to_one  # noqa: E402
from config.stores.checks import check_holds_store  # noqa: E402

application = ShortWay(with_lengths(django_application))

check_holds_store()
settle_down()
if settings.ENV.web_pin == "on":
    keep_to_one()
