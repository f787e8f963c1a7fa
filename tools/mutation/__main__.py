"""Changes cores and protocol in small ways, one at a time, and lists what no test noticed.

``make mutation`` works on a copy of what git knows, in ``var/mutation/``, with mutmut. It takes an
hour or more; a second run goes on where the first one stopped. ``python -m tools.mutation --list``
shows what survived so far.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

TOP = Path(__file__).parents[2]
FOLDER = TOP / "var" / "mutation"
PACKAGES = ("protocol", "keys", "issuance_server", "terminal_sim", "tools")
DECIDING = (
    "protocol/*.py",
    "issuance_server/core/*.py",
    "terminal_sim/core/*.py",
)
"""What is changed: whatever decides. Tables of texts and codes are not."""
LEFT_ALONE = (
    "protocol/codes.py",
    "protocol/limits.py",
    "issuance_server/core/tables/*",
    "issuance_server/core/records/*",
    "issuance_server/core/family_register.py",
)
TESTS = ("tests/protocol", "tests/core", "tests/terminal_sim/core")
"""What has to notice: the tests of these parts alone. Explorer, simulation and the tests of whole
processes would notice more, and take too long to be asked each time."""
NOT_FOR_THIS = ("tests/protocol/test_spec.py", "tests/protocol/test_shells_mqtt.py")

_SURVIVED = re.compile(r"^\s*(\S+)__mutmut_(\d+): survived$", re.MULTILINE)


def main(arguments: list[str] | None = None) -> int:
    """Run mutmut, or list what survived; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__)
    parser.add_argument("--list", action="store_true", help="only list what survived, with changes")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (%(default)s)")
    parser.add_argument("--only", action="append", metavar="FILE", help="change these files only")
    asked = parser.parse_args(arguments)
    if not asked.list:
        _copy(tuple(asked.only or DECIDING))
        done = subprocess.run(  # noqa: S603  # words of our own
            [_mutmut(), "run", "--max-children", str(asked.jobs)], cwd=FOLDER, check=False
        )
        if done.returncode:
            return done.returncode
    return _list()


def _copy(only: tuple[str, ...]) -> None:
    """Copy the tree, with mutmut's settings; what it found out before stays."""
    git = ["git", "ls-files", "-z"]
    listed = subprocess.run(  # noqa: S603  # words of our own
        git, cwd=TOP, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (TOP / name).is_file():
            target = FOLDER / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, target)
    deselected = [word for test in NOT_FOR_THIS for word in ("--ignore", test)]
    settings = {
        "source_paths": PACKAGES,
        "only_mutate": only,
        "do_not_mutate": LEFT_ALONE,
        "also_copy": ("docs", "README.md", "Makefile"),
        "pytest_add_cli_args_test_selection": TESTS,
        "pytest_add_cli_args": ("-p", "no:cacheprovider", "-p", "no:xdist", *deselected),
    }
    lines = [f"{name} = {list(values)!r}" for name, values in settings.items()]
    with (FOLDER / "pyproject.toml").open("a") as file:
        file.write("\n[tool.mutmut]\n" + "\n".join(lines).replace("'", '"') + "\n")


def _list() -> int:
    """Print the survivors, with what was changed, and how many each function has."""
    told = subprocess.run(  # noqa: S603  # words of our own
        [_mutmut(), "results"], cwd=FOLDER, capture_output=True, text=True, check=True
    )
    survivors = _SURVIVED.findall(told.stdout)
    for function, number in survivors:
        name = f"{function}__mutmut_{number}"
        change = subprocess.run(  # noqa: S603  # a name that mutmut gave
            [_mutmut(), "show", name], cwd=FOLDER, capture_output=True, text=True, check=False
        )
        lines = [line for line in change.stdout.splitlines() if re.match(r"[-+](?![-+])", line)]
        sys.stdout.write(f"{name}\n" + "".join(f"    {line}\n" for line in lines))
    for function, count in Counter(function for function, _ in survivors).most_common():
        sys.stderr.write(f"{count:>4}  {function}\n")
    sys.stderr.write(f"{len(survivors)} survived\n")
    return 0


def _mutmut() -> str:
    return str(Path(sys.executable).parent / "mutmut")


if __name__ == "__main__":
    sys.exit(main())
