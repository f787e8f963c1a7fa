"""All fuzz targets, by name."""

from tests.fuzz import wire_targets
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {target.name: target for target in (wire_targets.DECODER,)}
