"""Timetables from GTFS feeds.

    feed ──rows──> temporary tables ──trips in order──> runs ──compared──> trains, stops, calendars
    (zip or        (COPY, checked                       (times and          coaches and seats,
     folder)        by the database)                     distances known)    departures to come

One import is one transaction, and PostgreSQL does the sorting and joining: Python sees one trip
at a time, so memory does not grow with the feed. What a feed may contain, and what becomes of it,
is told in `docs/FEEDS.md`.
"""
