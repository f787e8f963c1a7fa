/** The limits of SPEC section 10 that a terminal needs; sizes in bytes, times in milliseconds. */

export const PROTOCOL_VERSION = 1;
export const TABLES_VERSION = 1;
export const ENVELOPE_BYTES_MAX = 65536;
export const FLIGHT_BYTES_MAX = 16384;
export const LINE_ID_BYTES = 8;
export const HANDSHAKE_ID_BYTES = 16;
export const ID_BYTES = 16;
export const TELEGRAM_BUCKETS_BYTES = [512, 2048, 4096, 16384, 50176];
export const PIECE_BYTES = 49152;
export const SEALED_BASE_BYTES = 131072;
export const SEALED_SHEET_BYTES = 131072;
export const PARTITIONS = 64;
export const REPLAY_WINDOW_COUNTERS = 1024;
export const TELEGRAMS_PER_GENERATION_MAX = 1048576;
export const TELEGRAMS_PER_GENERATION_HARD_MAX = 2097152;
export const OUTSTANDING_REQUESTS_MAX = 16;
export const COPIES_REMEMBERED_MAX = 64;
export const SIDES_MAX = 2;
export const PAGES_MAX = 80;
export const HANDSHAKE_MS_MAX = 10000;
export const FLIGHT_REPEAT_MS = 1000;
export const GENERATION_AGE_MS_MAX = 86400000;
export const GENERATION_OVERLAP_MS = 60000;
export const REQUEST_REPEAT_MS = 1500;
export const REQUEST_REPEAT_MS_MAX = 8000;
export const RELEASE_REPEAT_MS_MAX = 60000;
export const VISIT_MS_MAX = 300000;

/** Bounds of a PDF file, SPEC section 14. */
export const PDF_BYTES_MAX = 8388608;
export const DECODED_BYTES_MAX = 33554432;
export const VALUES_MAX = 200000;
export const DEPTH_MAX = 32;
