"""A scripted city for the terminal's core: it moves by the same table as the real one."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol import codec
from protocol.binding import Binding
from protocol.codes import ReplyCode
from protocol.issuance import ISSUANCE_TABLE, IssuanceInput, IssuanceState
from protocol.kinds import Kind
from protocol.limits import PIECE_BYTES
from protocol.sealed_certificate import padded_bytes, pieces_of
from protocol.telegrams import (
    Acknowledged,
    Apply,
    Begin,
    Cancel,
    ChallengeGiven,
    Close,
    Closed,
    Counters,
    EndVisit,
    Fetch,
    Held,
    MenuItem,
    Open,
    Opened,
    Quotation,
    Refused,
    Release,
    UnfinishedIssuance,
)
from protocol.terminal_statements import DeletionReport, PrintOutcome, PrintReport
from terminal_sim.core.requests import (
    Answer,
    Authentication,
    Document,
    KeyGiven,
    MenuGiven,
    PieceKept,
    Question,
    Request,
    Step,
)

CITY = "272035"
FEE_YEN = 300
S, I = IssuanceState, IssuanceInput  # noqa: E741  # short, as in the table

CITY_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
_NOTHING_COUNTED = Counters(completed=0, reversed=0, fees_earned_yen=0)


def sign(binding: Binding) -> bytes:
    """Sign as the city does."""
    return CITY_KEY.sign(binding.statement())


@dataclass
class City:
    """The other side: it moves by the same table, answers repeats alike, and can be made odd.

    Attributes:
        sheets: of every certificate.
        right_pin: the PIN of every card.
        refusals: for a step, what to answer instead, in order; None: stay silent.
        deaf: steps that never arrive.
        bend: changes a release on its way out.
        counters_off_by: how much it miscounts.
    """

    sheets: int = 2
    right_pin: str = "1234"
    refusals: dict[Step, list[Answer | None]] = field(default_factory=dict)
    deaf: set[Step] = field(default_factory=set)
    bend: Callable[[KeyGiven], KeyGiven] = lambda given: given
    states: dict[bytes, IssuanceState] = field(default_factory=dict)
    applications: dict[bytes, Apply] = field(default_factory=dict)
    reports: dict[bytes, PrintReport] = field(default_factory=dict)
    deletions: dict[bytes, DeletionReport] = field(default_factory=dict)
    fees_yen: int = 0
    tries_left: int = 3
    counters: Counters = _NOTHING_COUNTED
    asked: list[Step] = field(default_factory=list)
    terminal_counters: Counters | None = None
    counters_off_by: int = 0

    def answer(self, request: Request, question: Question, pin: str | None) -> Answer | None:
        """Return the answer, or None if there is none."""
        if request.step in self.deaf:
            return None
        self.asked.append(request.step)
        if self.refusals.get(request.step):
            return self.refusals[request.step].pop(0)
        if isinstance(question, Authentication):
            return self._judge(question, pin)
        return self._on_telegram(question)

    def _judge(self, question: Authentication, pin: str | None) -> Answer:
        if self.tries_left == 0:
            return Refused(code=ReplyCode.CARD_LOCKED)
        if pin != self.right_pin:
            self.tries_left -= 1
            code = ReplyCode.PIN_WRONG if self.tries_left else ReplyCode.CARD_LOCKED
            return Refused(code=code, tries_left=self.tries_left)
        self.tries_left = 3
        items = (MenuItem(kind=Kind.JUMINHYO, fee_yen=FEE_YEN),)
        return MenuGiven(visit_id=question.visit_id, items=items)

    def _on_telegram(self, question: Question) -> Answer | None:  # noqa: PLR0911  # one a case
        match question:
            case Open():
                self.counters = _NOTHING_COUNTED
                listed = tuple(
                    UnfinishedIssuance(issuance_id=issuance_id, state=state.value)
                    for issuance_id, state in self.states.items()
                    if state not in ISSUANCE_TABLE.ends
                )
                return Opened(
                    city=CITY,
                    software="city",
                    tables_version=1,
                    call_centre="06-0000-0000",
                    unfinished=listed,
                )
            case Begin():
                return ChallengeGiven(
                    visit_id=question.visit_id,
                    attempt=question.attempt,
                    challenge=sha256(question.visit_id).digest(),
                    valid_ms=60_000,
                )
            case EndVisit():
                return Acknowledged(state="ended")
            case Close():
                self.terminal_counters = question.counters
                return Closed(counters=self._counters())
            case Apply():
                return self._apply(question)
            case Fetch():
                return self._piece(question)
            case Held():
                return self._move(question.issuance_id, I.CIPHERTEXT_HELD)
            case Release():
                return self._release(question)
            case PrintReport():
                return self._report(question)
            case DeletionReport():
                return self._delete(question)
            case Cancel():
                return self._move(question.issuance_id, I.WITHDRAWAL)
        return None

    def _counters(self) -> Counters:
        counted = self.counters
        return Counters(
            completed=counted.completed + self.counters_off_by,
            reversed=counted.reversed,
            fees_earned_yen=counted.fees_earned_yen,
        )

    def _move(self, issuance_id: bytes, input_: IssuanceInput) -> Answer:
        if issuance_id not in self.states:
            return Refused(code=ReplyCode.UNKNOWN)
        following = ISSUANCE_TABLE.next(self.states[issuance_id], input_)
        if following is None:
            return Refused(code=ReplyCode.OUT_OF_ORDER)
        self.states[issuance_id] = following
        return Acknowledged(state=following.value)

    def _apply(self, question: Apply) -> Answer:
        issuance_id = question.issuance_id
        if issuance_id not in self.states:
            self.states[issuance_id] = S.QUOTED
            self.applications[issuance_id] = question
        sealed_bytes = padded_bytes(self.sheets) + 16
        return Quotation(
            issuance_id=issuance_id,
            fee_yen=FEE_YEN * question.copies,
            sheets=self.sheets,
            sealed_bytes=sealed_bytes,
            sealed_digest=sha256(issuance_id).digest(),
            pieces=pieces_of(sealed_bytes),
            valid_ms=600_000,
        )

    def _piece(self, question: Fetch) -> Answer:
        rest = padded_bytes(self.sheets) + 16 - question.piece * PIECE_BYTES
        return PieceKept(
            issuance_id=question.issuance_id,
            piece=question.piece,
            piece_bytes=min(PIECE_BYTES, rest),
        )

    def _release(self, question: Release) -> Answer:
        issuance_id = question.issuance_id
        if self.states.get(issuance_id) is S.SEALED:
            self.states[issuance_id] = S.RELEASED
        if self.states.get(issuance_id) is not S.RELEASED:
            return Refused(code=ReplyCode.ENDED)
        applied = self.applications[issuance_id]
        pages = tuple(sha256(issuance_id + bytes([n])).digest() for n in range(self.sheets))
        binding = Binding(
            issuance_id=issuance_id,
            request_digest=codec.digest(codec.encode(applied)),
            holder="card-ref",
            kind=applied.kind,
            options=applied.options,
            numbers=tuple(f"number-{copy}" for copy in range(applied.copies)),
            file_digest=sha256(b"file" + issuance_id).digest(),
            pages=pages,
        )
        return self.bend(
            KeyGiven(
                issuance_id=issuance_id,
                binding=binding,
                binding_signature=sign(binding),
                document=Document(file_digest=binding.file_digest, pages=pages),
            )
        )

    def _report(self, report: PrintReport) -> Answer:
        before = self.states.get(report.issuance_id)
        printed = report.outcome is PrintOutcome.PRINTED
        input_ = I.PRINT_REPORTED if printed else I.FAILURE_REPORTED
        answer = self._move(report.issuance_id, input_)
        if isinstance(answer, Acknowledged):
            known = self.reports.setdefault(report.issuance_id, report)
            assert known == report, "a repeated report must be the same"
            if self.states[report.issuance_id] is S.PRINTED and before is not S.PRINTED:
                self.fees_yen += FEE_YEN
        return answer

    def _delete(self, report: DeletionReport) -> Answer:
        before = self.states.get(report.issuance_id)
        answer = self._move(report.issuance_id, I.DELETION_RECORDED)
        if isinstance(answer, Acknowledged):
            self.deletions.setdefault(report.issuance_id, report)
            after = self.states[report.issuance_id]
            if before is not after:
                self.counters = Counters(
                    completed=self.counters.completed + (after is S.COMPLETED),
                    reversed=self.counters.reversed + (after is S.REVERSED),
                    fees_earned_yen=self.counters.fees_earned_yen
                    + FEE_YEN * (after is S.COMPLETED),
                )
        return answer


def bent(**changes: object) -> Callable[[KeyGiven], KeyGiven]:
    """Return a way to bend a release in the named fields; the city signs what it bent."""

    def bend(given: KeyGiven) -> KeyGiven:
        fields = {name: getattr(given.binding, name) for name in given.binding.__struct_fields__}
        binding = Binding(**{**fields, **changes})
        return replace(given, binding=binding, binding_signature=sign(binding))

    return bend
