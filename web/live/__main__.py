"""The live process: `python -m web.live`. One process, one loop, LIVE_PORT."""

import os

import uvicorn

MESSAGE_BYTES_MAX = 4096
PING_SECONDS = 20.0


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    # All of these need the settings.
    from django.conf import settings

    from config.garbage import settle_down
    from config.stores.checks import check_holds_store
    from web.live.application import Application
    from web.live.protocol import CuttingProtocol

    check_holds_store()
    settle_down()
    env = settings.ENV
    uvicorn.run(
        Application(),
        host=os.environ.get("WEB_HOST") or "127.0.0.1",
        port=env.live_port or env.port + 1,
        loop="uvloop",
        http="h11",
        ws=CuttingProtocol,
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=4096,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
