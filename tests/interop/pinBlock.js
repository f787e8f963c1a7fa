/** PIN block and card proof (SPEC section 13). */

import { ENCAPSULATED_BYTES, openShared, sealTo, xWingDecapsulate } from './hpke.js';
import { signStatement, statement } from './statement.js';

const PLAINTEXT_BYTES = 16;
const DIGITS = /^[0-9]{4,12}$/;

/**
 * @typedef {object} Attempt
 * @property {Buffer} challenge 32 bytes
 * @property {Buffer} visitId
 * @property {number} attempt
 * @property {string} terminal
 * @property {string} city
 * @property {Buffer} card card number
 */

/** @param {Attempt} attempt */
function fieldsOf({ challenge, visitId, attempt, terminal, city, card }) {
  return [challenge, visitId, attempt, terminal, city, card];
}

/**
 * Have the card sign (TP-050).
 *
 * @param {import('node:crypto').KeyObject} cardKey
 * @param {Attempt} attempt
 * @returns {Buffer}
 */
export function cardProof(cardKey, attempt) {
  return signStatement(cardKey, statement('card-proof', ...fieldsOf(attempt)));
}

/**
 * @param {Attempt} attempt
 * @returns {Buffer} what the block belongs to (TP-051)
 */
export function pinBlockInfo(attempt) {
  return statement('pin-block', ...fieldsOf(attempt));
}

/**
 * Seal a PIN to the PIN judge (TP-052).
 *
 * @param {Buffer} publicKey
 * @param {Buffer} info
 * @param {string} pin 4 to 12 digits
 * @returns {Buffer} 1152 bytes
 */
export function sealPin(publicKey, info, pin) {
  if (!DIGITS.test(pin)) throw new Error('a PIN has 4 to 12 digits');
  const plaintext = Buffer.alloc(PLAINTEXT_BYTES);
  plaintext.writeUInt8(pin.length, 0);
  plaintext.write(pin, 1, 'ascii');
  const block = sealTo(publicKey, info, plaintext);
  plaintext.fill(0);
  return block;
}

/**
 * Open a block as the PIN judge would; for the tests only.
 *
 * @param {Buffer} seed
 * @param {Buffer} info
 * @param {Buffer} block
 * @returns {string} the PIN
 */
export function openPin(seed, info, block) {
  const shared = xWingDecapsulate(seed, block.subarray(0, ENCAPSULATED_BYTES));
  const plaintext = openShared(shared, info, block.subarray(ENCAPSULATED_BYTES));
  const length = plaintext[0];
  if (plaintext.length !== PLAINTEXT_BYTES || plaintext.subarray(1 + length).some((b) => b !== 0)) {
    throw new Error('no PIN block');
  }
  return plaintext.toString('ascii', 1, 1 + length);
}
