"""Every limit of the protocol, with its unit last. Section 10 of SPEC.md lists the same values."""

PROTOCOL_VERSION = 1
"""Version byte of every envelope."""

TABLES_VERSION = 1
"""Version of the telegram and state tables; both sides name theirs in the opening."""

# Sizes
ENVELOPE_BYTES_MAX = 65_536
FLIGHT_BYTES_MAX = 16_384
LINE_ID_BYTES = 8
HANDSHAKE_ID_BYTES = 16
ID_BYTES = 16
CHALLENGE_BYTES = 32
DIGEST_BYTES = 32
CONTENT_KEY_BYTES = 32
SIGNATURE_BYTES = 64
PIN_BLOCK_BYTES_MAX = 1_400
CARD_CERTIFICATE_BYTES_MAX = 1_792
"""With it an ``authenticate-certificate`` fits the bucket of an ``authenticate`` (TP-048)."""
SMALL_BUCKET_BYTES = 512
MENU_BUCKET_BYTES = 4_096
TELEGRAM_BUCKETS_BYTES = (SMALL_BUCKET_BYTES, 2_048, MENU_BUCKET_BYTES, 16_384, 50_176)
"""A telegram is padded to the first of these that holds it."""
PIECE_BYTES = 49_152
"""Length of every piece of a sealed certificate; the last one may be shorter."""
SEALED_BASE_BYTES = 131_072
SEALED_SHEET_BYTES = 131_072
"""A certificate of n sheets is padded to SEALED_BASE_BYTES + n * SEALED_SHEET_BYTES.

The scrambled picture on a back takes 92,160 bytes of each sheet's; fonts and seal are in the base.
"""

# Counts
PARTITIONS = 64
REPLAY_WINDOW_COUNTERS = 1_024
TELEGRAMS_PER_GENERATION_MAX = 1 << 20
"""From here on new keys are due."""
TELEGRAMS_PER_GENERATION_HARD_MAX = 1 << 21
"""Nothing more is sealed under these keys."""
OUTSTANDING_REQUESTS_MAX = 16
COPIES_REMEMBERED_MAX = 64
"""Copies of one request whose reply is still known; an advice may be repeated for days."""
SHEETS_MAX = 40
"""Sheets of paper of one issuance."""
SIDES_MAX = 2
PAGES_MAX = SHEETS_MAX * SIDES_MAX
"""Pages of its PDF: a face and a back for each sheet."""
COPIES_MAX = 5
ISSUANCES_PER_VISIT_MAX = 10
ATTEMPTS_PER_VISIT_MAX = 10
UNFINISHED_LISTED_MAX = 64
PROOF_HASHES_MAX = 48
"""Hashes of a proof that one checkpoint grew from another: enough for 2^47 records. With so many a
``closed`` still fits its bucket (TP-048)."""

# Times
HANDSHAKE_MS_MAX = 10_000
FLIGHT_REPEAT_MS = 1_000
GENERATION_AGE_MS_MAX = 24 * 60 * 60 * 1_000
GENERATION_OVERLAP_MS = 60_000
REJECT_INTERVAL_MS = 500
REQUEST_REPEAT_MS = 1_500
REQUEST_REPEAT_MS_MAX = 8_000
CHALLENGE_MS_MAX = 60_000
VISIT_MS_MAX = 5 * 60 * 1_000
QUOTATION_MS_MAX = 10 * 60 * 1_000
RELEASE_REPEAT_MS_MAX = 60_000
"""A terminal that has no answer to its release after this never prints (TP-111)."""
REPORT_MS_MAX = 5 * 60 * 1_000
"""From the release to the print report, before the issuance is unconfirmed."""
DELETION_MS_MAX = 5 * 60 * 1_000
"""From the print report to the recorded deletion, before the alarm."""
ALARM_REPEAT_MS = 15 * 60 * 1_000
RENDER_MS_MAX = 30_000
