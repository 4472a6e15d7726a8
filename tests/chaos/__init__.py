"""The chaos drill: a sale under load while every process in turn is killed, frozen or restarted.

    python -m tests.chaos [--short]        (`make chaos`)

    plant       the real whole on fresh stores: which processes, starting and ending each
    faults      what is done to them, with the proof that it was done
    travelling  travellers who lock, extend, release, confirm, cancel and try again, at random
    drill       one fault after another, until the sale goes on and its facts arrive
    audit       afterwards: was anything lost, doubled, invented?
    report      the figures, as JSON and Markdown

Loopback only, bounded in calls and in time. Processes are found by their own ids, never by name.
"""
