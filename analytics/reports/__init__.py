"""What the facts and the request log say, each report one aggregation pipeline over an index.

A pipeline is a pure function, so that a test can ask MongoDB how it would run it. Reports lag
behind by what is not shipped yet, about a second. All are bounded: by a window of time, by a
limit of rows, and by REPORT_SECONDS, after which MongoDB stops and the caller is told 503.
"""
