"""All fuzz targets, by name."""

from tests.fuzz import content_targets, key_targets, line_target, register_target, wire_targets
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        wire_targets.DECODER,
        line_target.LINE,
        *key_targets.TARGETS,
        *content_targets.TARGETS,
        *register_target.TARGETS,
    )
}
