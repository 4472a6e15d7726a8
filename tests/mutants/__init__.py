"""The mutation proof: bugs planted on purpose, one at a time, and which suite caught each.

    planted/*.toml   bugs listed by hand: what each breaks, exact text before and after
    generic.py       small changes of Python code, as cosmic-ray makes them
    guards.py        what a guard line of a Lua script is; each has a planted bug, or a reason
    copies.py        copies of the tree: a mutant is never applied to the checkout
    nursery.py       runs pytest in a copy, a second for a few tests
    choosing.py      which tests can notice a mutant, soonest first
    proof.py         the run: every mutant through the suites until one catches it
    report.py        the table

`make mutants` runs all of it and prints the table; docs/adr has why it is built so.
"""
