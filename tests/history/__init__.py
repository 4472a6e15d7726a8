"""Histories of concurrent HTTP calls: recorded as clients saw them, and judged.

    recorder   a transport for httpx that writes down every call, also those without an answer
    events     what was written down, as JSON lines
    actions    each call as what it must have done to, or seen of, seats and legs
    linearize  is there an order of these actions that explains all answers?
    rules      what must hold between answers whatever the order: fences, replays, PNRs, deadlines
    judge      all of it

Judges from outside: it knows the API, the clock of the client, and nothing of the engine.
"""
