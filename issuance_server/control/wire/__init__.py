"""What commands say to a running server, and what it answers."""

from typing import TypeAlias

import msgspec

from issuance_server.control.wire.acts import (
    ACT_CARD_UNLOCK,
    ACT_TERMINAL_REGISTER,
    ACT_TERMINAL_RENEW,
    ACT_TERMINAL_REVOKE,
    ACT_TERMINAL_UNFREEZE,
    CERTIFICATE_BYTES_MAX,
    OVERLAP_HOURS_MAX,
    PLACE_CHARACTERS_MAX,
    Act,
    Brought,
    NewKey,
    NewTerminal,
)
from issuance_server.control.wire.cards import (
    ACT_CARD_REGISTER_APPROVE,
    ACT_CARD_REGISTER_BEGIN,
    ACT_CARD_REGISTER_CANCEL,
    ACT_CARD_REGISTER_TRY,
    ACT_CARD_RESET_PIN,
    ACT_CARD_WITHDRAW,
    BegunCard,
    CardChallenge,
    DrawCardChallenge,
    ListRegistrations,
    Registrations,
    ResetPin,
    TriedCard,
)
from issuance_server.control.wire.days import (
    ACT_DAY_CARRY_OVER,
    ACT_DAY_CLOSE,
    ACT_DAY_SETTLE,
    ACT_ISSUANCE_CLOSE,
    ACT_TERMINAL_REOPEN,
    Accounts,
    BlockerRow,
    CountsRow,
    DayStatus,
    LineRow,
    ReadAccounts,
    ReadDay,
)
from issuance_server.control.wire.domiciles import (
    ACT_DOMICILE_APPROVE,
    ACT_DOMICILE_MATCH,
    ACT_DOMICILE_REJECT,
    ACT_DOMICILE_SHOW,
    WORDS_CHARACTERS_MAX,
    Domiciles,
    FoundPerson,
    ListDomiciles,
    ShownApplicant,
    ToldWords,
)
from issuance_server.control.wire.issuing import (
    ACT_ISSUANCE_REOPEN,
    ACT_ISSUANCE_STOP,
    ACT_MANIFEST_DECLARE,
    Live,
    NewManifest,
    ReadStatus,
    Status,
)
from issuance_server.control.wire.notices import (
    ACT_NOTICE_SUBSCRIBE,
    ACT_NOTICE_UNSUBSCRIBE,
    BLIND_BYTES,
    ListNotices,
    NewSubscription,
    Notices,
)
from issuance_server.control.wire.push import ACT_PUSH_LIST, PushPage, PushRows
from issuance_server.control.wire.questions import (
    NUMBERS_MAX,
    CardRow,
    Cards,
    Checkpoints,
    Done,
    Issuances,
    Journal,
    Life,
    ListCards,
    ListIssuances,
    ListTerminals,
    Numbers,
    ReadCheckpoints,
    ReadJournal,
    ReadNumbers,
    ShowIssuance,
    Terminals,
)
from issuance_server.control.wire.register import (
    ACT_REGISTER_FEED,
    ACT_REGISTER_IMPORT,
    ACT_REGISTER_SET_BACK,
    ACT_STAND_IN_BEGIN,
    ACT_STAND_IN_END,
    FeedBatch,
    ReadRegister,
    RegisterStatus,
    StagedExtract,
    StandInTime,
)
from issuance_server.control.wire.suppressions import (
    ACT_SUPPRESSION_ADD,
    ACT_SUPPRESSION_LIFT,
    SUPPRESSION_ID_BYTES,
    AddedSuppression,
    ListSuppressions,
    Suppressions,
)
from issuance_server.control.wire.tables import (
    ACT_TABLES_LOAD,
    NewTablesFile,
    ReadTables,
    TablesInForce,
)

__all__ = [
    "ACT_CARD_REGISTER_APPROVE",
    "ACT_CARD_REGISTER_BEGIN",
    "ACT_CARD_REGISTER_CANCEL",
    "ACT_CARD_REGISTER_TRY",
    "ACT_CARD_RESET_PIN",
    "ACT_CARD_UNLOCK",
    "ACT_CARD_WITHDRAW",
    "ACT_DAY_CARRY_OVER",
    "ACT_DAY_CLOSE",
    "ACT_DAY_SETTLE",
    "ACT_DOMICILE_APPROVE",
    "ACT_DOMICILE_MATCH",
    "ACT_DOMICILE_REJECT",
    "ACT_DOMICILE_SHOW",
    "ACT_ISSUANCE_CLOSE",
    "ACT_ISSUANCE_REOPEN",
    "ACT_ISSUANCE_STOP",
    "ACT_MANIFEST_DECLARE",
    "ACT_NOTICE_SUBSCRIBE",
    "ACT_NOTICE_UNSUBSCRIBE",
    "ACT_PUSH_LIST",
    "ACT_REGISTER_FEED",
    "ACT_REGISTER_IMPORT",
    "ACT_REGISTER_SET_BACK",
    "ACT_STAND_IN_BEGIN",
    "ACT_STAND_IN_END",
    "ACT_SUPPRESSION_ADD",
    "ACT_SUPPRESSION_LIFT",
    "ACT_TABLES_LOAD",
    "ACT_TERMINAL_REGISTER",
    "ACT_TERMINAL_RENEW",
    "ACT_TERMINAL_REOPEN",
    "ACT_TERMINAL_REVOKE",
    "ACT_TERMINAL_UNFREEZE",
    "BLIND_BYTES",
    "CERTIFICATE_BYTES_MAX",
    "NUMBERS_MAX",
    "OVERLAP_HOURS_MAX",
    "PLACE_CHARACTERS_MAX",
    "SUPPRESSION_ID_BYTES",
    "WORDS_CHARACTERS_MAX",
    "Accounts",
    "Act",
    "AddedSuppression",
    "Answer",
    "BegunCard",
    "BlockerRow",
    "Brought",
    "CardChallenge",
    "CardRow",
    "Cards",
    "Checkpoints",
    "CountsRow",
    "DayStatus",
    "Domiciles",
    "Done",
    "DrawCardChallenge",
    "FeedBatch",
    "FoundPerson",
    "Issuances",
    "Journal",
    "Life",
    "LineRow",
    "ListCards",
    "ListDomiciles",
    "ListIssuances",
    "ListNotices",
    "ListRegistrations",
    "ListSuppressions",
    "ListTerminals",
    "Live",
    "NewKey",
    "NewManifest",
    "NewSubscription",
    "NewTablesFile",
    "NewTerminal",
    "Notices",
    "Numbers",
    "PushPage",
    "PushRows",
    "ReadAccounts",
    "ReadCheckpoints",
    "ReadDay",
    "ReadJournal",
    "ReadNumbers",
    "ReadRegister",
    "ReadStatus",
    "ReadTables",
    "RegisterStatus",
    "Registrations",
    "Request",
    "ResetPin",
    "ShowIssuance",
    "ShownApplicant",
    "StagedExtract",
    "StandInTime",
    "Status",
    "Suppressions",
    "TablesInForce",
    "Terminals",
    "ToldWords",
    "TriedCard",
    "decode_answer",
    "decode_request",
    "encode",
]

Request: TypeAlias = (
    ListIssuances
    | ListNotices
    | ListDomiciles
    | ShowIssuance
    | ListCards
    | ListTerminals
    | ListSuppressions
    | ReadRegister
    | ReadJournal
    | ReadCheckpoints
    | ReadNumbers
    | ReadTables
    | ReadDay
    | ReadAccounts
    | ReadStatus
    | ListRegistrations
    | DrawCardChallenge
    | Act
)
Answer: TypeAlias = (
    Issuances
    | Notices
    | Domiciles
    | ShownApplicant
    | PushRows
    | Life
    | Cards
    | Terminals
    | Suppressions
    | RegisterStatus
    | Journal
    | Checkpoints
    | Numbers
    | Done
    | TablesInForce
    | DayStatus
    | Accounts
    | Status
    | Registrations
    | CardChallenge
)

encode = msgspec.msgpack.Encoder().encode
_request_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
decode_request = _request_decoder.decode
decode_answer = _answer_decoder.decode
