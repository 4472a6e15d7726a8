"""The command line: `python -m tests.tour`."""

import os
import sys

from tests.tour.doors import TourFailed
from tests.tour.show import failed
from tests.tour.steps import walk

if __name__ == "__main__":
    try:
        walk(os.environ.get("FEED", ""))
    except TourFailed as wrong:
        failed(str(wrong))
        sys.exit(1)
