/** From the exported secret to sealing and opening (SPEC sections 5 and 6). */

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { DOWN, TELEGRAM, UP, encodeHeader } from './envelope.js';
import {
  REPLAY_WINDOW_COUNTERS, TELEGRAMS_PER_GENERATION_HARD_MAX, TELEGRAMS_PER_GENERATION_MAX,
} from './limits.js';
import { statement } from './statement.js';

export const EXPORTER_LABEL = 'EXPORTER-kofu-line-v1';
export const EXPORTED_BYTES = 64;
const KEY_BYTES = 32;
const MATERIAL_BYTES = 44;
const TAG_BYTES = 16;

/**
 * HKDF-Expand of RFC 5869 with SHA-256. Node's own HKDF cannot leave out the extract step.
 *
 * @param {Uint8Array} pseudoRandomKey
 * @param {Uint8Array} info
 * @param {number} length bytes
 * @returns {Buffer}
 */
export function hkdfExpand(pseudoRandomKey, info, length) {
  let block = Buffer.alloc(0);
  let material = Buffer.alloc(0);
  for (let number = 1; material.length < length; number += 1) {
    const mac = createHmac('sha256', pseudoRandomKey);
    block = mac.update(block).update(info).update(Buffer.of(number)).digest();
    material = Buffer.concat([material, block]);
  }
  return material.subarray(0, length);
}

/**
 * @param {{city: string, terminal: string, lineId: Buffer}} line
 * @param {number} generation
 * @returns {Buffer} the exporter context of TP-024
 */
export function exporterContext({ city, terminal, lineId }, generation) {
  return statement('line-keys', city, terminal, lineId, generation);
}

/**
 * Derive the key and nonce base of one direction (TP-025).
 *
 * @param {Buffer} exported 64 bytes
 * @param {Buffer} context
 * @param {number} direction
 * @returns {{key: Buffer, nonceBase: Buffer}}
 */
export function directionKeys(exported, context, direction) {
  const half = direction === UP ? exported.subarray(0, 32) : exported.subarray(32, 64);
  const info = statement('telegram-keys', direction, context);
  const material = hkdfExpand(half, info, MATERIAL_BYTES);
  return { key: material.subarray(0, KEY_BYTES), nonceBase: material.subarray(KEY_BYTES) };
}

/**
 * @param {Buffer} nonceBase 12 bytes
 * @param {number} counter
 * @returns {Buffer}
 */
function nonceOf(nonceBase, counter) {
  const nonce = Buffer.from(nonceBase);
  nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ BigInt(counter), 4);
  return nonce;
}

/** The keys of one generation at the terminal: seals up, opens down. */
export class Generation {
  #up;
  #down;
  #lineId;
  #sealed = 0;
  #highest = -1;
  #opened = new Set();

  /**
   * @param {{city: string, terminal: string, lineId: Buffer}} line
   * @param {number} generation
   * @param {Buffer} exported 64 bytes
   */
  constructor(line, generation, exported) {
    const context = exporterContext(line, generation);
    this.#up = directionKeys(exported, context, UP);
    this.#down = directionKeys(exported, context, DOWN);
    this.#lineId = line.lineId;
    this.number = generation;
  }

  /** Whether new keys are due by the number of sealed telegrams (TP-034). */
  get isUsedUp() {
    return this.#sealed >= TELEGRAMS_PER_GENERATION_MAX;
  }

  /**
   * Seal a plaintext under the next counter (TP-030, TP-033).
   *
   * @param {Buffer} plaintext
   * @returns {{counter: number, message: Buffer}}
   */
  seal(plaintext) {
    if (this.#sealed >= TELEGRAMS_PER_GENERATION_HARD_MAX) throw new Error('this key is used up');
    const counter = this.#sealed;
    this.#sealed += 1;
    const header = encodeHeader({
      kind: TELEGRAM, direction: UP, generation: this.number, lineId: this.#lineId, counter,
    });
    const cipher = createCipheriv('aes-256-gcm', this.#up.key, nonceOf(this.#up.nonceBase, counter));
    cipher.setAAD(header);
    const body = [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
    return { counter, message: Buffer.concat([header, ...body]) };
  }

  /**
   * Open a telegram from the server, once (TP-031, TP-032).
   *
   * @param {import('./envelope.js').Envelope} envelope
   * @returns {Buffer | null} the plaintext, or null whatever the reason is
   */
  open({ header, body, counter }) {
    if (counter <= this.#highest - REPLAY_WINDOW_COUNTERS || this.#opened.has(counter)) return null;
    const plaintext = openWith(this.#down, header, body, counter);
    if (plaintext === null) return null;
    this.#opened.add(counter);
    if (counter > this.#highest) {
      this.#highest = counter;
      const lowest = counter - REPLAY_WINDOW_COUNTERS;
      for (const old of this.#opened) if (old <= lowest) this.#opened.delete(old);
    }
    return plaintext;
  }
}

/**
 * Open one sealed body.
 *
 * @param {{key: Buffer, nonceBase: Buffer}} keys
 * @param {Buffer} header the associated data
 * @param {Buffer} body ciphertext and tag
 * @param {number} counter
 * @returns {Buffer | null}
 */
export function openWith({ key, nonceBase }, header, body, counter) {
  if (body.length < TAG_BYTES) return null;
  const end = body.length - TAG_BYTES;
  const cipher = createDecipheriv('aes-256-gcm', key, nonceOf(nonceBase, counter), {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(header);
  cipher.setAuthTag(body.subarray(end));
  try {
    return Buffer.concat([cipher.update(body.subarray(0, end)), cipher.final()]);
  } catch {
    return null;
  }
}
