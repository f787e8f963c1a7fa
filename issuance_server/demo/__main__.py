"""``python -m issuance_server.demo``: the demonstration; with ``--stay`` the city stays up."""

import argparse
import signal
import sys
import time
from pathlib import Path

from issuance_server.demo.scenes import play_all
from issuance_server.demo.stage import (
    Visit,
    free_port,
    fresh_city,
    is_open,
    start_panel,
    start_server,
)
from issuance_server.desk_commands.set_up import init, sample_pin
from protocol.errors import KofuError, SetUpError

DEMO_FOLDER = Path("var/demo")
RUN_FOLDER = Path("var/run")
_STAY_CARD = "h001-m1"
_STAY_TERMINAL = "7E-0001"
_PANEL_TERMINAL = "7E-0002"


def main() -> int:
    """Run the demonstration; 0 if everything was as it must be, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m issuance_server.demo", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="serve the sample city until Ctrl-C")
    arguments = parser.parse_args()
    try:
        return stay(RUN_FOLDER) if arguments.stay else demonstrate(DEMO_FOLDER)
    except KofuError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def demonstrate(folder: Path) -> int:
    """Make a city, play every scene, and say how long it took."""
    started = time.monotonic()
    fresh_city(folder)
    faults = play_all(folder)
    seconds = time.monotonic() - started
    if faults:
        sys.stdout.write(f"\nNot as it must be ({seconds:.0f} s): {'; '.join(faults)}\n")
        return 1
    sys.stdout.write(f"\nEverything as it must be, in {seconds:.0f} s.\n")
    return 0


def stay(folder: Path) -> int:
    """Serve the sample city until Ctrl-C or SIGTERM, then stop it in order."""
    if not (folder / "server.toml").exists():
        init(folder, sample="toyonaka", broker_port=free_port())
    elif is_open(folder):
        raise SetUpError(f"the sample city in {folder} is open already; stop it where it runs")
    server = start_server(folder)
    try:
        panel = start_panel(folder, _PANEL_TERMINAL)
    except SetUpError:
        server.stop()
        raise
    pin = sample_pin(_STAY_CARD)
    line = " ".join(
        Visit(terminal=_STAY_TERMINAL, card=_STAY_CARD, pins=(pin,)).command(
            folder, out=folder / "paper"
        )
    )
    sys.stdout.write(
        f"The sample city is open. The panel of a multicopy machine, in a browser:\n\n"
        f"  {panel.address}\n\nor in another terminal:\n\n  {line}\n\n"
        f"cards and PINs   {folder}/README.md\n"
        f"log              tail -f {server.log_file}\n"
        f"issuances        {_beside('issuance-server')} issuance list --config"
        f" {folder}/server.toml\n\nCtrl-C stops it in order.\n"
    )
    sys.stdout.flush()
    stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    while not stopping and server.process.poll() is None:
        time.sleep(0.1)
    if stopping:
        sys.stdout.write("\n予備閉局: nothing new; what is under way finishes …\n")
        sys.stdout.flush()
    panel.stop()
    status = server.stop()
    sys.stdout.write("閉局: stopped in order.\n" if status == 0 else f"see {server.log_file}\n")
    return status


def _beside(name: str) -> Path:
    return Path(sys.executable).with_name(name)


if __name__ == "__main__":
    sys.exit(main())
