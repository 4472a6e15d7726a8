"""No pauses of our own while something is timed."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Python's collector rests: a pause of ours would be taken for one of the server.

    What is there stays with the collector afterwards; tests in this process may look for it.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
