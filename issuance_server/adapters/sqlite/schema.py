"""The tables of the city's database, and how a connection to it is set up.

The journal is the truth; ``issuance``, ``certificate_number`` and ``open_subject`` are projections
of it that operators can query, and so are the changes to ``terminal`` and ``terminal_certificate``
since the city was founded. Personal data lives in ``household``, ``resident`` and
``register_record``, in ``notice_subscription`` (addresses) and in ``domicile_applicant``, which is
emptied some time after the decision; ``suppression`` names people by their numbers, and why.
"""

SCHEMA_VERSION = 4

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    subject BLOB,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX journal_subject ON journal (subject, seq) WHERE subject IS NOT NULL;

CREATE TABLE audit_frontier (
    id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, frontier BLOB NOT NULL
) STRICT;
-- leaves: the hashes of the records since the checkpoint before, so that a changed one is found
CREATE TABLE audit_checkpoint (
    size INTEGER PRIMARY KEY,
    root BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    signature BLOB NOT NULL,
    leaves BLOB NOT NULL
) STRICT;

CREATE TABLE open_subject (subject BLOB PRIMARY KEY, until_ms INTEGER) STRICT;

CREATE TABLE issuance (
    issuance_id BLOB PRIMARY KEY,
    visit_id BLOB NOT NULL,
    terminal TEXT NOT NULL,
    card_ref TEXT NOT NULL,
    kind TEXT NOT NULL,
    copies INTEGER NOT NULL,
    sheets INTEGER,
    fee_yen INTEGER NOT NULL,
    fee_state TEXT NOT NULL CHECK (fee_state IN ('none', 'held', 'earned', 'returned')),
    state TEXT NOT NULL,
    code INTEGER,
    deletion_reported INTEGER NOT NULL DEFAULT 0,
    key_destroyed INTEGER NOT NULL DEFAULT 0,
    business_day TEXT NOT NULL,
    applied_at_ms INTEGER NOT NULL,
    released_at_ms INTEGER,
    reported_at_ms INTEGER,
    failure_cause TEXT,
    ended_at_ms INTEGER,
    end_day TEXT,
    CHECK ((ended_at_ms IS NULL) = (end_day IS NULL))
) STRICT;
CREATE INDEX issuance_applied ON issuance (applied_at_ms);
CREATE INDEX issuance_end_day ON issuance (end_day);
CREATE INDEX issuance_reported ON issuance (terminal, reported_at_ms);

CREATE TABLE certificate_number (
    number TEXT PRIMARY KEY,
    issuance_id BLOB NOT NULL,
    copy INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'valid', 'void'))
) STRICT;
CREATE INDEX certificate_number_issuance ON certificate_number (issuance_id);
CREATE TABLE number_serial (day TEXT PRIMARY KEY, next_serial INTEGER NOT NULL) STRICT;

CREATE TABLE issuance_key (
    issuance_id BLOB PRIMARY KEY, key_day TEXT NOT NULL, wrapped_key BLOB NOT NULL
) STRICT;

CREATE TABLE terminal (
    terminal TEXT PRIMARY KEY,
    line_id BLOB NOT NULL UNIQUE,
    chain TEXT NOT NULL,
    store TEXT NOT NULL,
    in_city INTEGER NOT NULL,
    class TEXT NOT NULL,
    registered_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER,
    stopped_at_ms INTEGER,
    inspected_at_ms INTEGER
) STRICT;
CREATE TABLE terminal_certificate (
    fingerprint BLOB PRIMARY KEY,
    terminal TEXT NOT NULL REFERENCES terminal,
    report_key BLOB NOT NULL,
    since_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER
) STRICT;
CREATE INDEX terminal_certificate_terminal ON terminal_certificate (terminal);

CREATE TABLE card (
    card_ref TEXT PRIMARY KEY,
    kind TEXT NOT NULL DEFAULT 'juki',
    resident_id TEXT NOT NULL,
    certificate_serial TEXT,
    registered_at_ms INTEGER NOT NULL,
    usable_from TEXT,
    withdrawn_at_ms INTEGER,
    CHECK ((kind = 'mynumber') = (certificate_serial IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX card_certificate ON card (certificate_serial) WHERE withdrawn_at_ms IS NULL;
CREATE INDEX card_resident ON card (resident_id);
CREATE TABLE card_registration (
    card_ref TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    resident_id TEXT NOT NULL,
    certificate_serial TEXT,
    occasion TEXT NOT NULL,
    begun_by TEXT NOT NULL,
    begun_at_ms INTEGER NOT NULL,
    subject TEXT NOT NULL,
    approved_by TEXT,
    approved_at_ms INTEGER
) STRICT;

CREATE TABLE household (
    household_id TEXT PRIMARY KEY, version INTEGER NOT NULL UNIQUE, record BLOB NOT NULL
) STRICT;
CREATE TABLE resident (
    resident_id TEXT PRIMARY KEY,
    household_id TEXT NOT NULL REFERENCES household,
    birth_on TEXT,
    resident_since TEXT,
    is_head INTEGER NOT NULL DEFAULT 0,
    standing TEXT NOT NULL DEFAULT 'current'
) STRICT;
CREATE INDEX resident_household ON resident (household_id);
CREATE TABLE register_record (
    record_id INTEGER PRIMARY KEY,
    record_key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL UNIQUE,
    record BLOB NOT NULL,
    bar TEXT,
    fiscal_year INTEGER
) STRICT;
CREATE TABLE register_record_holder (
    resident_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    record_id INTEGER NOT NULL REFERENCES register_record,
    PRIMARY KEY (resident_id, kind)
) STRICT;
CREATE INDEX register_record_holder_record ON register_record_holder (record_id, kind);
CREATE TABLE suppression (
    suppression_id TEXT PRIMARY KEY NOT NULL,
    resident_id TEXT,
    household_id TEXT,
    reason TEXT NOT NULL,
    level TEXT NOT NULL DEFAULT 'error',
    since_ms INTEGER NOT NULL,
    until_day TEXT,
    origin TEXT NOT NULL DEFAULT 'operator',
    CHECK ((resident_id IS NULL) <> (household_id IS NULL))
) STRICT;
CREATE INDEX suppression_resident ON suppression (resident_id) WHERE resident_id IS NOT NULL;
CREATE INDEX suppression_household ON suppression (household_id) WHERE household_id IS NOT NULL;
CREATE TABLE register_edit (
    resident_id TEXT UNIQUE,
    household_id TEXT UNIQUE,
    since_ms INTEGER NOT NULL,
    CHECK ((resident_id IS NULL) <> (household_id IS NULL))
) STRICT;
CREATE TABLE register_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    watermark_ms INTEGER NOT NULL,
    sequence INTEGER NOT NULL DEFAULT 0,
    last_version INTEGER NOT NULL DEFAULT 0,
    gap_expected INTEGER,
    gap_found INTEGER,
    gap_at_ms INTEGER,
    stand_in_since_ms INTEGER,
    stand_in_until_ms INTEGER
) STRICT;

CREATE TABLE city_tables (
    load INTEGER PRIMARY KEY,
    loaded_at_ms INTEGER NOT NULL,
    digest BLOB NOT NULL,
    content BLOB NOT NULL,
    operator TEXT
) STRICT;

CREATE TABLE line_opening (
    opening INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    opened_day TEXT NOT NULL,
    ended_at_ms INTEGER,
    ended_day TEXT,
    ended_how TEXT CHECK (ended_how IN ('closed', 'broken-off', 'revoked')),
    our_completed INTEGER,
    our_reversed INTEGER,
    our_fees_earned_yen INTEGER,
    their_completed INTEGER,
    their_reversed INTEGER,
    their_fees_earned_yen INTEGER,
    differs INTEGER NOT NULL DEFAULT 0,
    settled_at_ms INTEGER,
    CHECK ((ended_at_ms IS NULL) = (ended_how IS NULL))
) STRICT;
CREATE INDEX line_opening_terminal ON line_opening (terminal, opening);
CREATE INDEX line_opening_opened_day ON line_opening (opened_day);
CREATE INDEX line_opening_ended_day ON line_opening (ended_day);
CREATE INDEX line_opening_open ON line_opening (opened_day) WHERE ended_how IS NULL;
CREATE INDEX line_opening_differs ON line_opening (opened_day)
    WHERE differs AND settled_at_ms IS NULL;
CREATE TABLE line_carried_over (
    day TEXT NOT NULL,
    terminal TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (day, terminal)
) STRICT;
CREATE TABLE late_report (
    issuance_id BLOB NOT NULL,
    day TEXT NOT NULL,
    terminal TEXT NOT NULL,
    outcome TEXT NOT NULL,
    sheets_out INTEGER NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX late_report_day ON late_report (day);
CREATE TABLE closed_day (
    day TEXT PRIMARY KEY,
    closed_at_ms INTEGER NOT NULL,
    operator TEXT NOT NULL,
    tables_load INTEGER
) STRICT;

CREATE TABLE notice_subscription (
    resident_id TEXT PRIMARY KEY, address TEXT NOT NULL, subscribed_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE notice (
    notice_key TEXT PRIMARY KEY,
    resident_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    store TEXT NOT NULL,
    issued_business_ms INTEGER NOT NULL,
    queued_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0,
    next_try_at_ms INTEGER,
    sent_at_ms INTEGER
) STRICT;
CREATE INDEX notice_due ON notice (next_try_at_ms) WHERE state = 'pending';
CREATE INDEX notice_queued ON notice (queued_at_ms);

CREATE TABLE domicile_request (
    request_id BLOB PRIMARY KEY,
    terminal TEXT NOT NULL,
    card_ref TEXT NOT NULL,
    request_digest BLOB NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('accepted', 'matched', 'approved', 'rejected')),
    resident_id TEXT,
    matched_by TEXT,
    usable_from TEXT,
    decided_at_ms INTEGER,
    words TEXT
) STRICT;
CREATE TABLE domicile_applicant (
    request_id BLOB PRIMARY KEY REFERENCES domicile_request,
    certificate_serial TEXT NOT NULL,
    domicile TEXT NOT NULL,
    register_head TEXT NOT NULL,
    name TEXT NOT NULL,
    birth TEXT NOT NULL,
    phone TEXT NOT NULL
) STRICT;
CREATE INDEX domicile_applicant_serial ON domicile_applicant (certificate_serial);

CREATE TABLE operator_nonce (
    nonce BLOB PRIMARY KEY, operator TEXT NOT NULL, refused TEXT
) STRICT;

CREATE TABLE judge_report (
    id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL, at_ms INTEGER NOT NULL
) STRICT;
"""

BUSY_TIMEOUT_PRAGMA = "PRAGMA busy_timeout = 5000"

WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # what was acknowledged survives a power cut
    "PRAGMA secure_delete = ON",  # a deleted key is overwritten, not only unlinked
    "PRAGMA wal_autocheckpoint = 0",  # the writer alone checkpoints, when it says so
    "PRAGMA foreign_keys = ON",
    BUSY_TIMEOUT_PRAGMA,
)

READER_PRAGMAS = ("PRAGMA query_only = ON", BUSY_TIMEOUT_PRAGMA)

REQUIRED_SQLITE_VERSION = (3, 37, 0)
"""STRICT tables."""
