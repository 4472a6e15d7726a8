"""A process that serves leaves what it began with out of its collections, and still collects."""

import subprocess
import sys

from config.embedded.places import CHECKOUT

CYCLES = """
import gc, sys
from config.garbage import OBJECTS, settle_down

class Knot:
    left = 0
    def __init__(self):
        self.itself = self
        Knot.left += 1
    def __del__(self):
        Knot.left -= 1

settle_down()
frozen = gc.get_freeze_count()
for _ in range(OBJECTS):
    Knot()
sys.stdout.write(f"{frozen > 1_000} {Knot.left < OBJECTS}")
"""


def test_a_leak_of_cycles_is_collected_all_the_same() -> None:
    argv = [sys.executable, "-c", CYCLES]
    said = subprocess.run(argv, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    assert said == "True True"


def test_the_web_process_settles_down_before_it_serves() -> None:
    program = "import config.wsgi, gc, sys; sys.stdout.write(str(gc.get_freeze_count() > 100_000))"
    argv = [sys.executable, "-c", program]
    said = subprocess.run(argv, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    assert said.endswith("True")
