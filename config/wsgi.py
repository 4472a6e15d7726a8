"""The WSGI entry: `granian --interface wsgi config.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from config.stores.checks import check_holds_store  # noqa: E402  # needs the settings above

check_holds_store()
