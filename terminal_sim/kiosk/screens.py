"""What the page is told to show: values without words, since the page has the words.

A *screen* is what the panel shows, and beside it what lies around the machine: cards, coins, paper.
Only the touches that a screen offers are taken.
"""

from collections.abc import Iterator

import msgspec

Values = dict[str, str | int]
"""What stands in the gaps of a text. ``opens`` is a time in ms, ``fee`` and the like are yen."""


class Line(msgspec.Struct, frozen=True):
    """A sentence.

    Attributes:
        key: of the table of words.
        values: for its gaps.
        tone: ``plain``, ``strong``, ``soft``, ``warning`` or ``row``; of a row the key is a label,
            and ``values`` has its ``value``, a text, or ``value_key``, a key.
    """

    key: str
    values: Values = {}
    tone: str = "plain"


class Choice(msgspec.Struct, frozen=True):
    """A key on the panel.

    Attributes:
        touch: what is sent when it is touched.
        key: of the table of words.
        values: for the gaps.
        note: a second line under it, such as why it is not to be had.
        look: ``plain``, ``primary``, ``quiet`` or ``large``.
        chosen: whether it is on; None: it is no switch.
        can: whether it can be touched; what cannot stays on the screen with its reason.
    """

    touch: str
    key: str
    values: Values = {}
    note: Line | None = None
    look: str = "plain"
    chosen: bool | None = None
    can: bool = True


class Pad(msgspec.Struct, frozen=True):
    """The keypad. Touches name positions, never digits.

    Attributes:
        digits: what stands on each of the ten positions.
        typed: how many digits were typed; which, only the terminal knows.
        full: whether no more are taken.
    """

    digits: tuple[int, ...]
    typed: int
    full: bool


class Letters(msgspec.Struct, frozen=True):
    """Keys for a code that was prepared at home.

    Attributes:
        characters: of the keys.
        typed: what was typed.
        full: whether no more are taken.
    """

    characters: str
    typed: str
    full: bool


class Thing(msgspec.Struct, frozen=True):
    """Something around the machine that a person takes in the hand.

    Attributes:
        kind: ``card``, ``card-in-slot``, ``coin``, ``note``, ``e-money``, ``paper`` or
            ``phone``.
        touch: what is sent when it is taken.
        label: a holder's made-up name, or the code on a phone.
        form: of a card, ``basic`` (住民基本台帳カード) or ``mynumber`` (個人番号カード).
        pin: of a sample card, written on the note beside it.
        yen: of a coin or a note.
    """

    kind: str
    touch: str
    label: str = ""
    form: str = ""
    pin: str = ""
    yen: int = 0


class Sheets(msgspec.Struct, frozen=True):
    """Paper that comes out.

    Attributes:
        paper: number of the paper since the start of the process.
        out: how many sheets are out.
        total: how many there will be.
        veiled: whether they lie face down.
    """

    paper: int
    out: int
    total: int
    veiled: bool


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown now.

    Attributes:
        name: of the screen; its title is the word ``title-NAME`` unless ``title`` says another.
        title: key of the title.
        lines: sentences, in order.
        choices: keys, in order.
        pad: the keypad, where a PIN is typed.
        letters: keys, where a prepared code is typed.
        things: what lies around the machine.
        sheets: paper that is out or coming.
        busy: whether the person can only wait.
        private: whether it shows what others should not see.
        veiled: whether such things are hidden.
        alarm: ``card`` or ``paper`` while the machine calls a person back.
        leaves_at_ms: when the visit ends if nothing is touched, by the clock of the terminal.
        warns_at_ms: from when on a warning is shown.
    """

    name: str
    title: str = ""
    lines: tuple[Line, ...] = ()
    choices: tuple[Choice, ...] = ()
    pad: Pad | None = None
    letters: Letters | None = None
    things: tuple[Thing, ...] = ()
    sheets: Sheets | None = None
    busy: bool = False
    private: bool = False
    veiled: bool = False
    alarm: str = ""
    leaves_at_ms: int | None = None
    warns_at_ms: int | None = None

    def touches(self) -> Iterator[str]:
        """Give every touch that is taken on this screen; to hide things is always possible."""
        yield "veil"
        yield from (choice.touch for choice in self.choices if choice.can)
        yield from (thing.touch for thing in self.things)
        if self.pad is not None:
            yield "shuffle"
            if self.pad.typed:
                yield "erase"
            if not self.pad.full:
                yield from (f"pad:{position}" for position in range(len(self.pad.digits)))
        if self.letters is not None:
            if self.letters.typed:
                yield "unletter"
            if not self.letters.full:
                yield from (f"letter:{one}" for one in self.letters.characters)
        if self.leaves_at_ms is not None:
            yield "stay"
        if self.alarm:
            yield "quiet"
