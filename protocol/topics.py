"""MQTT topics. They carry a random line id and nothing that names a person or a shop.

``kofu/1/<municipality code>/<partition>/<line id>/<up|down>``: six digits, two digits, sixteen
hexadecimal digits. A server worker subscribes to whole partitions, a terminal to its own line.
"""

import re

from protocol.errors import EnvelopeError
from protocol.limits import LINE_ID_BYTES, PARTITIONS

_TOPIC = re.compile(r"kofu/1/([0-9]{6})/([0-9]{2})/([0-9a-f]{16})/(up|down)")


def partition_of(line_id: bytes) -> int:
    """Return the partition (0 to 63) of a line: its id is random, so the first byte spreads."""
    return line_id[0] % PARTITIONS


def line_topic(city: str, line_id: bytes, direction: str) -> str:
    """Return the topic of one direction of a line.

    Args:
        city: municipality code, 6 digits.
        line_id: 8 bytes.
        direction: ``up`` (to the city) or ``down`` (to the terminal).
    """
    return f"kofu/1/{city}/{partition_of(line_id):02d}/{line_id.hex()}/{direction}"


def city_subscription(city: str) -> str:
    """Return the filter for everything that terminals send to a city."""
    return f"kofu/1/{city}/+/+/up"


def line_of_topic(topic: str) -> bytes:
    """Return the line id that a topic names.

    Raises:
        EnvelopeError: the topic is none of ours, or its partition is not the line's.
    """
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise EnvelopeError("the topic is not one of this protocol")
    line_id = bytes.fromhex(found[3])
    if len(line_id) != LINE_ID_BYTES or int(found[2]) != partition_of(line_id):
        raise EnvelopeError("the topic names another partition than its line")
    return line_id
