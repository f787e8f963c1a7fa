/** Sealed certificates (SPEC section 15). */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { PIECE_BYTES, SEALED_BASE_BYTES, SEALED_SHEET_BYTES } from './limits.js';
import { statement } from './statement.js';

const TAG_BYTES = 16;
const LENGTH_BYTES = 4;
const NONCE = Buffer.alloc(12); // a key seals once (TP-090)

/**
 * @param {number} sheets
 * @returns {number} length of the sealed certificate in bytes (TP-091)
 */
export function sealedBytes(sheets) {
  return SEALED_BASE_BYTES + sheets * SEALED_SHEET_BYTES + TAG_BYTES;
}

/**
 * @param {number} bytes length of the sealed certificate
 * @returns {number} how many pieces it comes in (TP-092)
 */
export function pieceCount(bytes) {
  return Math.ceil(bytes / PIECE_BYTES);
}

const associated = (issuanceId, sheets) => statement('sealed-certificate', issuanceId, sheets);

/**
 * Open a sealed certificate; throws if it is not the one of this issuance, sheets and key.
 *
 * @param {Buffer} sealed
 * @param {{key: Buffer, issuanceId: Buffer, sheets: number}} of
 * @returns {Buffer} the PDF
 */
export function openCertificate(sealed, { key, issuanceId, sheets }) {
  if (sealed.length !== sealedBytes(sheets)) throw new Error('no sealed certificate of this length');
  const cipher = createDecipheriv('aes-256-gcm', key, NONCE, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated(issuanceId, sheets));
  cipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const padded = Buffer.concat([cipher.update(sealed.subarray(0, -TAG_BYTES)), cipher.final()]);
  const end = LENGTH_BYTES + padded.readUInt32BE(0);
  if (end > padded.length || padded.subarray(end).some((byte) => byte !== 0)) {
    throw new Error('the padding of the sealed certificate is wrong');
  }
  return padded.subarray(LENGTH_BYTES, end);
}

/**
 * Seal a certificate as the city does; for the tests only.
 *
 * @param {Buffer} pdf
 * @param {{key: Buffer, issuanceId: Buffer, sheets: number}} of
 * @returns {Buffer}
 */
export function sealCertificate(pdf, { key, issuanceId, sheets }) {
  const padded = Buffer.alloc(sealedBytes(sheets) - TAG_BYTES);
  padded.writeUInt32BE(pdf.length, 0);
  pdf.copy(padded, LENGTH_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, NONCE);
  cipher.setAAD(associated(issuanceId, sheets));
  return Buffer.concat([cipher.update(padded), cipher.final(), cipher.getAuthTag()]);
}
