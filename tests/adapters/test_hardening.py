"""A hardened process cannot be looked into, and its libraries are silent."""

import subprocess
import sys

import pytest

PROBE = """
import ctypes, logging, resource
from issuance_server.adapters.hardening import harden, silence_libraries

harden()
silence_libraries()
logging.getLogger("a.library").critical("a name")
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="there is no such switch elsewhere")
def test_hardened_process_cannot_be_dumped() -> None:
    """The kernel says so itself (PR_GET_DUMPABLE), and no library's word comes out."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, check=True, text=True, timeout=60
    )

    assert ("(0, 0) 0\n", "") == (done.stdout, done.stderr)
