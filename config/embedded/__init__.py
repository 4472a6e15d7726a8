"""Seatlock's own servers: real PostgreSQL, Valkey and MongoDB from PyPI wheels, run as children.

    python -m config.embedded run            stores, web, worker and beat until Ctrl-C
    python -m config.embedded stores         the stores alone
    python -m config.embedded with -- CMD    CMD beside fresh stores of its own, then all is gone

Promises: nothing it started outlives it, however it ends (`guard`); nothing starts before the
machine was found fit (`preflight`); a store named by a URL in the environment is used, not started
(`settings`). Imports neither Django nor anything above it (but for `set_up`, a
child of its own), so that it runs before both.
"""
