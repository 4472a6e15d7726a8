"""What the page does with its socket (`web/static/web/live.js`), run by Node on a clock that is
moved. Real sockets into real browsers are with the pages' tests.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")
PAGE = Path(__file__).parent / "page"


@pytest.mark.skipif(NODE is None, reason="Node runs these; it is not on the PATH")
def test_the_page_keeps_its_socket() -> None:
    done = subprocess.run(
        [str(NODE), "--test", str(PAGE / "watch.test.mjs")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    assert "# pass 12" in done.stdout
