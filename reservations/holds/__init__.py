"""Holds: what is true for three minutes, in Redis.

`lua/` has one script per atomic step; `scripts` runs them and names their keys; `members` reads
what they store; `ids` and `capabilities` are what clients carry; `store` is the door for the
services above.
"""
