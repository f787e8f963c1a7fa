/** Statements (TP-060): the one form of everything that is signed or bound. */

import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { encode } from '@msgpack/msgpack';

const PREFIX = 'kofu/1/';
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * @typedef {number | string | Uint8Array | null | Field[]} Field
 */

/**
 * Build a statement.
 *
 * @param {string} label ASCII; separates the domains
 * @param {...Field} fields in the order of the specification
 * @returns {Buffer}
 */
export function statement(label, ...fields) {
  const packed = encode(fields);
  return Buffer.concat([Buffer.from(`${PREFIX}${label}\0`, 'ascii'), packed]);
}

/**
 * Make a signing key from the 32 bytes of an Ed25519 seed.
 *
 * @param {Uint8Array} seed
 * @returns {import('node:crypto').KeyObject}
 */
export function signingKey(seed) {
  return createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8',
  });
}

/**
 * @param {import('node:crypto').KeyObject} key Ed25519
 * @param {Buffer} stated
 * @returns {Buffer} 64 bytes
 */
export function signStatement(key, stated) {
  return sign(null, stated, key);
}

/**
 * @param {Uint8Array} publicKey 32 bytes, Ed25519
 * @param {Buffer} stated
 * @param {Uint8Array} signature
 * @returns {boolean} whether the signature holds
 */
export function holds(publicKey, stated, signature) {
  const key = createPublicKey({
    key: Buffer.concat([SPKI_ED25519, publicKey]), format: 'der', type: 'spki',
  });
  return verify(null, stated, key, signature);
}
