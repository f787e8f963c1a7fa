"""Fields that several events share, with their meanings."""

TERMINAL = {"terminal": "terminal id"}
LINE = {"terminal": "terminal id", "line": "line id, 16 hex digits"}
FINGERPRINT = {"fingerprint": "SHA-256 of the key certificate, 64 hex digits"}
BY = {"operator": "operator id", "reason": "why, in the operator's words"}
VISIT = {**TERMINAL, "visit": "visit id, 32 hex digits"}
CARD = {**VISIT, "card_ref": "the card's reference, given at registration"}
ISSUANCE = {"issuance": "issuance id, 32 hex digits", **TERMINAL}
KIND = {"kind": "kind of certificate, as on the command line"}
MONEY = {"fee_yen": "fee in yen, all copies together"}
WHOLE_LIFE = {
    **ISSUANCE,
    "card_ref": "the card's reference, given at registration",
    **KIND,
    "sheets": "sheets of all copies",
    **MONEY,
    "state": "the state in which it ended",
    "durations_ms": "milliseconds from the application to each state, by name of the state",
}
REASON = {"reason": "why, as a code"}
COUNT = {"count": "how many in the last half second"}
BROKER = {"host": "the broker's host", "port": "the broker's TCP port"}
CHILD = {"exit_status": "exit status of the process that died; negative: the signal"}
ACT = {
    "act": "name of the act",
    "operator": "operator id",
    "subject": "what the act is about: an id",
}

TRACE = {"file": "name of the file, without its folder"}
