"""What must be true of the engine's data, whatever happened: asked of the data themselves.

    rows      PostgreSQL alone: bookings, seats, facts, idempotency keys
    images    each seat image in Redis against the rows and against the holds
    holds     the holds in Redis: caps, pins, indexes, fences

For operators (`manage.py check_invariants`) and for tests that break things on purpose. Reads
only; trusts no constraint and no script that writes. Runs beside live traffic: see `judging`.
"""
