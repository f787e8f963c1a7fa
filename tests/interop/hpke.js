/** HPKE (RFC 9180) in base mode with KEM X-Wing, HKDF-SHA256 and a 256-bit AEAD; one message. */

import {
  createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey,
  decapsulate, diffieHellman, encapsulate, generateKeyPairSync,
} from 'node:crypto';
import { hkdfExpand } from './keySchedule.js';

const KEM_X_WING = 0x647a;
const KDF_HKDF_SHA256 = 0x0001;
/** AEADs by their HPKE number. */
const AEADS = { 2: 'aes-256-gcm', 3: 'chacha20-poly1305' };
export const AES_256_GCM = 2;

const X_WING_LABEL = Buffer.from('5c2e2f2f5e5c', 'hex');
const MLKEM_PUBLIC_BYTES = 1184;
const MLKEM_CIPHERTEXT_BYTES = 1088;
const X25519_BYTES = 32;
const MLKEM_SEED_BYTES = 64;
export const PUBLIC_KEY_BYTES = MLKEM_PUBLIC_BYTES + X25519_BYTES;
export const ENCAPSULATED_BYTES = MLKEM_CIPHERTEXT_BYTES + X25519_BYTES;
const TAG_BYTES = 16;

const SPKI_MLKEM768 = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');
const PKCS8_MLKEM768 = Buffer.from('3054020100300b060960864801650304040204428040', 'hex');
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

const publicOf = (prefix, raw) =>
  createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' });
const privateOf = (prefix, raw) =>
  createPrivateKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'pkcs8' });
const rawPublic = (key, bytes) =>
  Buffer.from(key.export({ format: 'der', type: 'spki' }).subarray(-bytes));

/** X-Wing's combiner: one shared secret from both. */
function combine(secretMlkem, secretX25519, ciphertextX25519, publicX25519) {
  const hash = createHash('sha3-256').update(secretMlkem).update(secretX25519);
  return hash.update(ciphertextX25519).update(publicX25519).update(X_WING_LABEL).digest();
}

/**
 * @param {Buffer} publicKey 1216 bytes: ML-KEM-768 before X25519
 * @returns {{shared: Buffer, encapsulated: Buffer}} 32 and 1120 bytes
 */
export function xWingEncapsulate(publicKey) {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new Error('no X-Wing public key');
  const { sharedKey, ciphertext } = encapsulate(
    publicOf(SPKI_MLKEM768, publicKey.subarray(0, MLKEM_PUBLIC_BYTES)),
  );
  const publicX25519 = publicKey.subarray(MLKEM_PUBLIC_BYTES);
  const ephemeral = generateKeyPairSync('x25519');
  const ciphertextX25519 = rawPublic(ephemeral.publicKey, X25519_BYTES);
  const secretX25519 = diffieHellman({
    privateKey: ephemeral.privateKey, publicKey: publicOf(SPKI_X25519, publicX25519),
  });
  return {
    shared: combine(sharedKey, secretX25519, ciphertextX25519, publicX25519),
    encapsulated: Buffer.concat([ciphertext, ciphertextX25519]),
  };
}

/** Both private keys of an X-Wing seed of 32 bytes, and its public key. */
export function xWingExpand(seed) {
  const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest();
  const mlkem = privateOf(PKCS8_MLKEM768, expanded.subarray(0, MLKEM_SEED_BYTES));
  const x25519 = privateOf(PKCS8_X25519, expanded.subarray(MLKEM_SEED_BYTES));
  const publicKey = Buffer.concat([
    rawPublic(createPublicKey(mlkem), MLKEM_PUBLIC_BYTES),
    rawPublic(createPublicKey(x25519), X25519_BYTES),
  ]);
  return { mlkem, x25519, publicKey };
}

/**
 * @param {Buffer} seed 32 bytes
 * @param {Buffer} encapsulated 1120 bytes
 * @returns {Buffer} the shared secret
 */
export function xWingDecapsulate(seed, encapsulated) {
  const { mlkem, x25519, publicKey } = xWingExpand(seed);
  const ciphertextX25519 = encapsulated.subarray(MLKEM_CIPHERTEXT_BYTES);
  const secretMlkem = decapsulate(mlkem, encapsulated.subarray(0, MLKEM_CIPHERTEXT_BYTES));
  const secretX25519 = diffieHellman({
    privateKey: x25519, publicKey: publicOf(SPKI_X25519, ciphertextX25519),
  });
  const publicX25519 = publicKey.subarray(MLKEM_PUBLIC_BYTES);
  return combine(secretMlkem, secretX25519, ciphertextX25519, publicX25519);
}

const twoBytes = (number) => Buffer.of(number >> 8, number & 0xff);

/**
 * The key schedule of RFC 9180 section 5.1 in base mode.
 *
 * @param {Buffer} shared
 * @param {Buffer} info
 * @param {number} aead
 * @returns {{key: Buffer, nonce: Buffer}} nonce for the first message
 */
export function keyAndNonce(shared, info, aead) {
  const suite = Buffer.concat([
    Buffer.from('HPKE'), twoBytes(KEM_X_WING), twoBytes(KDF_HKDF_SHA256), twoBytes(aead),
  ]);
  const labelled = (label) => Buffer.concat([Buffer.from('HPKE-v1'), suite, Buffer.from(label)]);
  const extract = (salt, label, material) =>
    createHmac('sha256', salt).update(labelled(label)).update(material).digest();
  const empty = Buffer.alloc(0);
  const context = Buffer.concat([
    Buffer.of(0), extract(empty, 'psk_id_hash', empty), extract(empty, 'info_hash', info),
  ]);
  const secret = extract(shared, 'secret', empty);
  const expand = (label, length) =>
    hkdfExpand(secret, Buffer.concat([twoBytes(length), labelled(label), context]), length);
  return { key: expand('key', 32), nonce: expand('base_nonce', 12) };
}

/**
 * Seal one message to a public key, with empty associated data.
 *
 * @param {Buffer} publicKey
 * @param {Buffer} info
 * @param {Buffer} plaintext
 * @returns {Buffer} encapsulated key and ciphertext
 */
export function sealTo(publicKey, info, plaintext) {
  const { shared, encapsulated } = xWingEncapsulate(publicKey);
  const { key, nonce } = keyAndNonce(shared, info, AES_256_GCM);
  const cipher = createCipheriv(AEADS[AES_256_GCM], key, nonce);
  const ciphertext = [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat([encapsulated, ...ciphertext]);
}

/**
 * Open one message; throws if it was not sealed to this key with this info.
 *
 * @param {Buffer} shared
 * @param {Buffer} info
 * @param {Buffer} sealed ciphertext and tag
 * @param {{aead?: number, associated?: Buffer}} [other]
 * @returns {Buffer}
 */
export function openShared(shared, info, sealed, { aead = AES_256_GCM, associated } = {}) {
  const { key, nonce } = keyAndNonce(shared, info, aead);
  const end = sealed.length - TAG_BYTES;
  const cipher = createDecipheriv(AEADS[aead], key, nonce, { authTagLength: TAG_BYTES });
  if (associated) cipher.setAAD(associated, { plaintextLength: end });
  cipher.setAuthTag(sealed.subarray(end));
  return Buffer.concat([cipher.update(sealed.subarray(0, end)), cipher.final()]);
}
