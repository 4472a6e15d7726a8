"""Python's collector of cycles, told what a server is: much that stays, and little that is a cycle.

Untold, it now and then walks through everything that was ever imported or opened, and nobody is
answered meanwhile: 230 ms of each few seconds in a live process with 2,000 sockets. What is there
when a process begins to serve is left out for good; of what comes later, so many objects must have
been made and not freed that they are a leak of cycles, and no burst of requests.
"""

import gc
from typing import Final

# Some ten megabytes of cycles at most wait for the next look.
OBJECTS: Final = 50_000


def settle_down() -> None:
    """Call it once, when all is loaded and before anything is served."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, 10, 10)
