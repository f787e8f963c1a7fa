/** Telegrams between fields and padded plaintexts (TP-040 to TP-043, TP-048). */

import { createHash } from 'node:crypto';
import { decodeMulti, encode } from '@msgpack/msgpack';
import { TELEGRAM_BUCKETS_BYTES } from './limits.js';
import { Malformed, TELEGRAMS } from './telegramTables.js';

const LENGTH_BYTES = 4;
const BUCKET_LEAST = {
  authenticate: 2048, 'authenticate-certificate': 2048, open: 4096, opened: 4096, menu: 4096,
  released: 4096, piece: 50176,
  closed: 2048, 'register-domicile': 2048, 'ask-domicile': 2048, 'domicile-told': 2048,
};

/**
 * @param {Uint8Array} bytes
 * @returns {Buffer} SHA-256
 */
export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest();
}

/**
 * Encode a telegram and pad it to the smallest bucket that its kind may have.
 *
 * @param {Record<string, unknown> & {telegram: string}} fields
 * @returns {Buffer} the plaintext
 */
export function encodeTelegram(fields) {
  TELEGRAMS[fields.telegram](fields, '$');
  return pad(encode(fields), fields.telegram);
}

/**
 * @param {Uint8Array} packed a MessagePack map
 * @param {string} kind of the telegram
 * @returns {Buffer} the plaintext
 */
export function pad(packed, kind) {
  const least = Math.max(packed.length + LENGTH_BYTES, BUCKET_LEAST[kind] ?? 0);
  const bucket = TELEGRAM_BUCKETS_BYTES.find((bytes) => bytes >= least);
  if (bucket === undefined) throw new Error(`a ${kind} is too long`);
  const plaintext = Buffer.alloc(bucket);
  plaintext.writeUInt32BE(packed.length, 0);
  plaintext.set(packed, LENGTH_BYTES);
  return plaintext;
}

/**
 * Read a plaintext and check it against the tables (TP-041).
 *
 * @param {Buffer} plaintext
 * @returns {Record<string, any> & {telegram: string}} with defaults filled in; bytes as Buffer
 * @throws {Malformed} with the path of what does not fit, and no value
 */
export function decodeTelegram(plaintext) {
  if (!TELEGRAM_BUCKETS_BYTES.includes(plaintext.length)) throw new Malformed('length');
  const end = LENGTH_BYTES + plaintext.readUInt32BE(0);
  if (end > plaintext.length) throw new Malformed('length');
  if (plaintext.subarray(end).some((byte) => byte !== 0)) throw new Malformed('padding');
  const fields = unpack(plaintext.subarray(LENGTH_BYTES, end));
  const kind = fields?.telegram;
  if (typeof kind !== 'string' || !Object.hasOwn(TELEGRAMS, kind)) {
    throw new Malformed('$.telegram');
  }
  TELEGRAMS[kind](fields, '$');
  return fields;
}

/** @param {Buffer} packed */
function unpack(packed) {
  try {
    const found = [...decodeMulti(packed)];
    if (found.length === 1) return asBuffers(found[0]);
  } catch {
    // what the decoder says may hold values
  }
  throw new Malformed('$');
}

/** Copy bytes out of the plaintext, so that they are compared and kept as Buffers. */
function asBuffers(value) {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(asBuffers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, asBuffers(held)]));
}
