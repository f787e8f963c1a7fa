"""``python -m issuance_server.adapters.pin_judge``: the PIN judge's process."""

import sys

from issuance_server.adapters.pin_judge.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
