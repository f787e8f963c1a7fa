"""What stands in a core trace for what may not be shown, and in a core that plays it again."""

from typing import Any

from protocol.secret import Secret
from protocol.shown import Shown
from protocol.trace.redaction import MARK, is_hidden, pseudonym, sealed

_START = "~"
_OF_WORDS = {"words", "echo"}
KNOWN_MAX = 2_048
"""Pseudonyms that are remembered, for most are wanted again soon; then all are forgotten."""


class Hider:
    """Replaces values: with pseudonyms of its own, or by knowing stand-ins again.

    Attributes:
        words: what somebody wrote in this step, and what stands for it.
    """

    def __init__(self, key: Secret | None) -> None:
        """Prepare for one trace.

        Args:
            key: 32 random bytes that are used for this trace and then forgotten; None: what is
                hidden was read from a trace, and nothing else is hidden.
        """
        self.words: dict[str, Any] = {}
        self._known: dict[tuple[str, str | bytes], Any] = {}
        self._key = None if key is None else key.reveal()

    def hide(self, how: str, value: Any) -> Any:
        """Return what is written for a text or bytes; nothing, and what is empty, stays."""
        if not value:
            return value
        made = self._known.get((how, value))
        if made is not None:
            return made
        known = _known_again(value) if self._key is None else value
        if is_hidden(known):
            return known
        spelled = value.encode() if isinstance(value, str) else value
        if how == Shown.SEALED.value:  # which takes no key
            return sealed(spelled)
        if self._key is None:
            return value
        if how in _OF_WORDS:
            return self._word(how, value)
        made = pseudonym(self._key, how, spelled)
        if how == Shown.SIGNATURE.value or (how == Shown.PERSON.value and value.isascii()):
            self._remember((how, value), made)
        return made

    def _remember(self, what: tuple[str, str | bytes], made: dict[str, Any]) -> None:
        """Keep a pseudonym; ids and signatures come again, what people typed does not."""
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[what] = made

    def _word(self, how: str, value: str) -> Any:
        """Hide words; what is only an echo of nothing that was written is the core's own."""
        if how == "words":
            self.words[value] = self.hide(Shown.PERSON.value, value)
        return self.words.get(value, value)


def stand_in(hidden: dict[str, Any], *, as_bytes: bool) -> str | bytes:
    """Return what a core is given in the place of what was hidden."""
    if "digest" in hidden:
        name = f"{hidden['digest'].hex()}/{hidden['bytes']}"
    else:
        name = str(hidden["is"])
    text = f"{_START}{hidden[MARK]}/{name}"
    return text.encode() if as_bytes else text


def _known_again(value: Any) -> Any:
    """Return what a stand-in stands for; anything else is what it is."""
    try:
        text = value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value
    if not isinstance(text, str) or not text.startswith(_START):
        return value
    how, _, name = text[1:].partition("/")
    digest, sized, length = name.partition("/")
    if sized:
        return {MARK: how, "digest": bytes.fromhex(digest), "bytes": int(length)}
    return {MARK: how, "is": name}
