/** Envelopes and topics (SPEC sections 2 and 3). */

import {
  ENVELOPE_BYTES_MAX, FLIGHT_BYTES_MAX, HANDSHAKE_ID_BYTES, PARTITIONS, PROTOCOL_VERSION,
} from './limits.js';

export const HEADER_BYTES = 24;
export const KEY_EXCHANGE = 1;
export const TELEGRAM = 2;
export const REJECTION = 3;
export const UP = 0;
export const DOWN = 1;

/**
 * @typedef {object} Header
 * @property {number} kind one of KEY_EXCHANGE, TELEGRAM, REJECTION
 * @property {number} direction UP or DOWN
 * @property {number} generation 0 to 2^32 - 1
 * @property {Buffer} lineId 8 bytes
 * @property {number} counter 0 to 2^53 - 1
 */

/** @typedef {Header & {header: Buffer, body: Buffer}} Envelope */

/**
 * @param {Header} fields
 * @returns {Buffer} 24 bytes
 */
export function encodeHeader({ kind, direction, generation, lineId, counter }) {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(PROTOCOL_VERSION, 0);
  header.writeUInt8(kind, 1);
  header.writeUInt8(direction, 2);
  header.writeUInt32BE(generation, 4);
  lineId.copy(header, 8);
  header.writeBigUInt64BE(BigInt(counter), 16);
  return header;
}

/**
 * Read a message (TP-010).
 *
 * @param {Buffer} message
 * @returns {Envelope | null} null for what has to be dropped
 */
export function decodeEnvelope(message) {
  if (message.length < HEADER_BYTES || message.length > ENVELOPE_BYTES_MAX) return null;
  const [version, kind, direction, reserved] = message;
  if (version !== PROTOCOL_VERSION || reserved !== 0 || direction > DOWN) return null;
  if (![KEY_EXCHANGE, TELEGRAM, REJECTION].includes(kind)) return null;
  const counter = message.readBigUInt64BE(16);
  if (counter > BigInt(Number.MAX_SAFE_INTEGER)) return null; // more than any sender may seal
  return {
    kind,
    direction,
    generation: message.readUInt32BE(4),
    lineId: message.subarray(8, 16),
    counter: Number(counter),
    header: message.subarray(0, HEADER_BYTES),
    body: message.subarray(HEADER_BYTES),
  };
}

/**
 * Read the body of a flight (TP-021).
 *
 * @param {Envelope} envelope
 * @returns {{handshakeId: Buffer, tlsBytes: Buffer} | null}
 */
export function decodeFlight({ body, generation }) {
  const tlsLength = body.length - HANDSHAKE_ID_BYTES;
  if (tlsLength < 0 || tlsLength > FLIGHT_BYTES_MAX) return null;
  if (body.readUInt32BE(0) !== generation) return null;
  return {
    handshakeId: body.subarray(0, HANDSHAKE_ID_BYTES),
    tlsBytes: body.subarray(HANDSHAKE_ID_BYTES),
  };
}

/**
 * Name the topic of one direction of a line (TP-001, TP-002).
 *
 * @param {string} city municipality code
 * @param {Buffer} lineId
 * @param {number} direction
 * @returns {string}
 */
export function topic(city, lineId, direction) {
  const partition = String(lineId[0] % PARTITIONS).padStart(2, '0');
  const end = direction === UP ? 'up' : 'down';
  return `kofu/1/${city}/${partition}/${lineId.toString('hex')}/${end}`;
}
