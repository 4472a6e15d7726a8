"""The WSGI entry: `granian --interface wsgi config.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_wsgi_application()

# Both need the settings above.
from config.http.unsized import with_lengths  # noqa: E402
from config.stores.checks import check_holds_store  # noqa: E402

application = with_lengths(django_application)

check_holds_store()
