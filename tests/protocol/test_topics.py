"""MQTT topics: made, matched and read back."""

import pytest

from protocol.errors import EnvelopeError
from protocol.topics import city_subscription, line_of_topic, line_topic, partition_of
from tests.protocol.stand_in import CITY, LINE_ID


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_topic_names_city_partition_line_and_direction(direction: str) -> None:
    """The form is the documented one, and the line can be read back (TP-001)."""
    topic = line_topic(CITY, LINE_ID, direction)

    assert f"kofu/1/272035/32/a0b1c2d3e4f50617/{direction}" == topic
    assert LINE_ID == line_of_topic(topic)


def test_a_city_hears_what_goes_up() -> None:
    """The filter has a wildcard for partition and line, and nothing that goes down."""
    assert "kofu/1/272035/+/+/up" == city_subscription(CITY)


def test_partitions_cover_all_lines() -> None:
    """The first byte of the line id decides, modulo 64 (TP-002)."""
    assert set(range(64)) == {partition_of(bytes([first]) + bytes(7)) for first in range(256)}


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "kofu/1/272035/32/a0b1c2d3e4f50617",
        "kofu/1/272035/32/a0b1c2d3e4f50617/sideways",
        "kofu/2/272035/32/a0b1c2d3e4f50617/up",
        "kofu/1/27203/32/a0b1c2d3e4f50617/up",
        "kofu/1/２７２０３５/32/a0b1c2d3e4f50617/up",
        "kofu/1/272035/33/a0b1c2d3e4f50617/up",
        "kofu/1/272035/96/a0b1c2d3e4f50617/up",
        "kofu/1/272035/32/A0B1C2D3E4F50617/up",
        "kofu/1/272035/32/a0b1c2d3e4f506/up",
        "kofu/1/272035/32/a0b1c2d3e4f50617/up\n",
        "other/kofu/1/272035/32/a0b1c2d3e4f50617/up",
    ],
)
def test_another_topic_is_refused(topic: str) -> None:
    """Wrong forms, wrong versions and wrong partitions are not ours (TP-002)."""
    with pytest.raises(EnvelopeError):
        line_of_topic(topic)
