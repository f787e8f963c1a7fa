"""Whether the lines of the tables go together: no two for one day, no day without one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from issuance_server.core.tables import lines as f
from issuance_server.core.tables.fees import Channel
from issuance_server.core.tables.periods import ONE_DAY, Period
from issuance_server.core.terminal_place import TerminalClass
from protocol.errors import SetUpError
from protocol.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One line as far as it is about one thing.

    Attributes:
        name: place in the file and meaning.
        place: place in the file.
        period: as long as it holds.
    """

    name: str
    place: str
    period: Period


Entries = dict[str, list[_Entry]]
"""In the order of the file, by what they are about, such as ``juminhyo at store``."""


def meaning(table: str, at: int, line: f.Dated | f.CampaignOfFees) -> str:
    """Name a line by its place in the file and by what it means."""
    about = [_words(line), f"from {line.from_}"]
    if line.until is not None:
        about.append(f"until {line.until}")
    return f"{table}[{at}] ({', '.join(word for word in about if word)})"


def check_consistency(file: f.TablesFile) -> None:
    """Check that for everything that is issued there is one line on every day.

    Raises:
        SetUpError: lines are out of order, meet, or leave a gap; the text names the way out.
    """
    hours = _entries("hours", file.hours)
    fees = _entries("fees", file.fees)
    chains = _entries("chains", file.chains)
    commissions = _entries("commissions", file.commissions)
    campaigns = _entries("campaigns", file.campaigns)
    for entries in (hours, fees, commissions):
        _in_order(entries)
        _without_gaps(entries)
    for entries in (chains, campaigns):
        _in_order(entries)
    _campaigns_apart(file.campaigns)
    _one_class(file.chains)
    for at, line in enumerate(file.chains, start=1):
        name = meaning("chains", at, line)
        for kind in line.kinds:
            at_class = _at(kind, line.class_.value)
            _covered(name, line.period, "hours", at_class, hours.get(at_class, []))
            _covered(name, line.period, "fees", at_class, fees.get(at_class, []))
            of_chain = _at(kind, line.chain)
            _covered(name, line.period, "commissions", of_chain, commissions.get(of_chain, []))
    _known_chains(file)


def _entries(table: str, lines: Iterable[f.Dated | f.CampaignOfFees]) -> Entries:
    found: Entries = {}
    for at, line in enumerate(lines, start=1):
        name = meaning(table, at, line)
        for about in _abouts(line):
            entry = _Entry(name=name, place=f"{table}[{at}]", period=line.period)
            entries = found.setdefault(about, [])
            if entries and entries[-1].place == entry.place:
                raise SetUpError(f"{name} names {about} twice; take one out")
            entries.append(entry)
    return found


def _abouts(line: f.Dated | f.CampaignOfFees) -> Iterator[str]:
    """Return what a line is about, each of which may have one line on a day."""
    match line:
        case f.Hours(kinds=kinds, class_=terminal_class):
            yield from (_at(kind, terminal_class.value) for kind in kinds)
        case f.Fees(yen=yen, channel=channel):
            yield from (_at(kind, channel.value) for kind in yen)
        case f.CampaignOfFees(yen=yen, channel=channel, chains=chains):
            yield from (
                _at(kind, channel.value, chain) for kind in yen for chain in chains or ("",)
            )
        case f.Chain(kinds=kinds, chain=chain) | f.Commission(kinds=kinds, chain=chain):
            yield from (_at(kind, chain) for kind in kinds)


def _at(kind: Kind, place: str, chain: str = "") -> str:
    return f"{kind.value} at {place}" + (f" of {chain}" if chain else "")


def _words(line: f.Dated | f.CampaignOfFees) -> str:
    match line:
        case f.Hours():
            return f"{line.class_.value}: {_kinds(line.kinds)}"
        case f.Fees() | f.CampaignOfFees():
            return f"{line.channel.value}: {_kinds(line.yen)}"
        case f.Chain() | f.Commission():
            return f"{line.chain}: {_kinds(line.kinds)}"
    return ""


def _kinds(kinds: Iterable[Kind]) -> str:
    return ", ".join(kind.value for kind in kinds)


def _pairs(entries: Entries) -> Iterator[tuple[str, _Entry, _Entry]]:
    for about, found in entries.items():
        for earlier, later in pairwise(found):
            yield about, earlier, later


def _in_order(entries: Entries) -> None:
    for about, earlier, later in _pairs(entries):
        if later.period.first < earlier.period.first:
            raise SetUpError(
                f"{later.name} stands after {earlier.name}, but begins before it; put the lines"
                f" about {about} in the order of their first days"
            )
        if earlier.period.meets(later.period):
            first = later.period.first
            way = (
                f"write until = {first - ONE_DAY} in {earlier.place}"
                if earlier.period.first < first
                else "take one of them out"
            )
            raise SetUpError(
                f"{earlier.name} and {later.name} both hold on {first} for {about}; {way}"
            )


def _without_gaps(entries: Entries) -> None:
    for about, earlier, later in _pairs(entries):
        last = earlier.period.last
        if last is not None and last + ONE_DAY < later.period.first:
            raise SetUpError(
                f"there is nothing for {about} from {last + ONE_DAY} until"
                f" {later.period.first - ONE_DAY}: {earlier.name} has ended and {later.name} has"
                f" not begun; write from = {last + ONE_DAY} in {later.place}, or a line between"
            )


def _covered(name: str, period: Period, table: str, about: str, entries: list[_Entry]) -> None:
    """Check that lines without gaps between them hold as long as something is issued."""
    way = f"add one, or change the days of {name.partition(' ')[0]}"
    if not entries:
        raise SetUpError(f"{name} has no line of [[{table}]] for {about}; {way}")
    first, last = entries[0].period.first, entries[-1].period.last
    if period.first < first:
        raise SetUpError(
            f"{name} has no line of [[{table}]] for {about} from {period.first} until"
            f" {first - ONE_DAY}; {way}"
        )
    if last is not None and (period.last is None or last < period.last):
        raise SetUpError(
            f"{name} has no line of [[{table}]] for {about} from {last + ONE_DAY} on; {way}"
        )


def _campaigns_apart(campaigns: tuple[f.CampaignOfFees, ...]) -> None:
    """A campaign for all chains and one for a single chain are about the same terminals, too."""
    named = [(meaning("campaigns", at, one), one) for at, one in enumerate(campaigns, start=1)]
    for at, (name, one) in enumerate(named):
        for other_name, other in named[at + 1 :]:
            same = set(one.yen) & set(other.yen) and one.channel is other.channel
            chains = set(one.chains) & set(other.chains) or not (one.chains and other.chains)
            if same and chains and one.period.meets(other.period):
                raise SetUpError(
                    f"{name} and {other_name} meet; a kind has one campaign at a time: end one"
                    " before the other begins"
                )


def _one_class(chains: tuple[f.Chain, ...]) -> None:
    known: dict[str, TerminalClass] = {}
    for at, line in enumerate(chains, start=1):
        if known.setdefault(line.chain, line.class_) is not line.class_:
            raise SetUpError(
                f"{meaning('chains', at, line)} is of class {line.class_.value}, an earlier line of"
                f" the chain of class {known[line.chain].value}; a chain has one class"
            )


def _known_chains(file: f.TablesFile) -> None:
    """A name that no line of the chains has is a slip of the pen."""
    known = {line.chain for line in file.chains}
    named: list[tuple[str, str]] = [
        (meaning("commissions", at, line), line.chain)
        for at, line in enumerate(file.commissions, start=1)
    ]
    for at, campaign in enumerate(file.campaigns, start=1):
        named += [(meaning("campaigns", at, campaign), chain) for chain in campaign.chains]
        if campaign.channel is Channel.COUNTER and campaign.chains:
            raise SetUpError(
                f"{meaning('campaigns', at, campaign)} is of the counter, which has no chains;"
                " take them out"
            )
    for name, chain in named:
        if chain not in known:
            raise SetUpError(
                f"{name} names the chain {chain}, which no line of [[chains]] has; the chains are"
                f" {', '.join(sorted(known))}"
            )
