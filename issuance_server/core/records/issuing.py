"""Records of what stops issuing in the whole city, of evidence, and of the declared manifest."""

from enum import Enum

from issuance_server.core.records.base import HouseRecord, Record


class StopReason(Enum):
    """Why nothing is issued in the whole city; the value is its word in journal and log."""

    SERVER_GATE = "server-gate"  # the city's own gate found another document than was ordered
    MISMATCH_REPORTS = "mismatch-reports"  # two terminals within ten minutes
    OPERATOR = "operator"


class IssuingStopped(Record, frozen=True, kw_only=True, tag="issuing-stopped"):
    """Nothing is issued by this city any more; reopening is for two people.

    Attributes:
        reason: why.
        fault: what was found, as a word; of an operator's stop: why, in the operator's words.
        terminals: which terminals reported a mismatch.
        issuance_id: the issuance at which it was found.
        operator: who stopped it, if somebody did.
    """

    reason: StopReason
    fault: str
    terminals: tuple[str, ...] = ()
    issuance_id: bytes | None = None
    operator: str | None = None


class IssuingReopened(HouseRecord, frozen=True, kw_only=True, tag="issuing-reopened"):
    """Two operators found out why issuing was stopped, and let it go on."""

    operators: tuple[str, str]


class Evidence(Enum):
    """What must be kept so that issuing can be accounted for; the value is its word."""

    LOG = "log"  # lines for operators
    CHECKPOINTS = "checkpoints"  # signatures over the audit tree
    JUDGE_EVENTS = "judge-events"  # what happened to cards, from the judge into the journal


class EvidenceLost(HouseRecord, frozen=True, kw_only=True, tag="evidence-lost"):
    """A kind of evidence could not be kept for longer than its bound; nothing new is taken."""

    evidence: Evidence
    lost_ms: int


class EvidenceKept(HouseRecord, frozen=True, kw_only=True, tag="evidence-kept"):
    """It can be kept again; ``lost_ms`` is for how long it could not be."""

    evidence: Evidence
    lost_ms: int


class ManifestDeclared(HouseRecord, frozen=True, kw_only=True, tag="manifest-declared"):
    """What the city's node has to be from now on.

    Attributes:
        items: by name, such as ``build``; ids and digests only.
        operators: who declared it; none at the founding.
    """

    items: dict[str, str]
    operators: tuple[str, ...] = ()
