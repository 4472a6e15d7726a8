"""What is free: plans of departures kept in memory, seat images read, seats counted and ranked.

Nothing here writes. What it reads may be a moment old; the lock script and the exclusion
constraint decide.
"""
