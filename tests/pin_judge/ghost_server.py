"""``issuance-server`` whose PIN judge has the ghost at its side; for tests only.

``PIN_GHOST=FILE python -m tests.pin_judge.ghost_server run ...`` takes what ``issuance-server``
takes; ``tests.pin_judge.ghost.ghost_faults(FILE, judge_store)`` reads what was seen.
"""

import sys

from issuance_server.__main__ import main
from issuance_server.adapters.pin_judge import client

if __name__ == "__main__":
    client.JUDGE_MODULE = "tests.pin_judge.ghost_judge"
    sys.exit(main())
