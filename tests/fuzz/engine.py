"""One fuzzing process: ``python -m tests.fuzz.engine TARGET [option of libFuzzer…]``.

atheris watches which branches of our own modules an input takes, and keeps those that take a new
one. It cannot see into a library: to it, all kinds of telegram look alike, and it would forget all
seeds but one. So half of the inputs are our own mutations, and half of these begin at a seed.

Where crashes go is said by libFuzzer's options; ``python -m tests.fuzz`` gives them.
"""

import importlib
import random
import sys

import atheris

from tests.fuzz.mutations import mutated
from tests.fuzz.target import Target

WATCHED = ["protocol", "keys", "issuance_server.adapters.frames"]
OWN_MUTATIONS_SHARE = 0.5
FROM_SEED_SHARE = 0.5


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=WATCHED):
        targets = importlib.import_module("tests.fuzz.targets")
    target: Target = targets.TARGETS[name]
    pool = target.seeds()
    dice = random.Random()

    def take(data: bytes) -> None:
        target.run(data)

    def change(data: bytes, bytes_max: int, _seed: int) -> bytes:
        if dice.random() >= OWN_MUTATIONS_SHARE:
            return atheris.Mutate(data, bytes_max)  # type: ignore[no-any-return]  # untyped library
        start = dice.choice(pool) if dice.random() < FROM_SEED_SHARE else data
        return mutated(start, dice, pool, bytes_max=bytes_max)

    atheris.Setup(sys.argv, take, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
