/** What has to hold before a sheet is printed (TP-070, TP-071). */

import { openCertificate } from './sealedCertificate.js';
import { sheetDigests } from './sheetDigest.js';
import { holds, statement } from './statement.js';
import { sha256 } from './telegrams.js';

/** Nothing may be printed; `point` is that of TP-071. */
export class BindingMismatch extends Error {
  /** @param {number} point */
  constructor(point) {
    super(`point ${point} of TP-071`);
    this.point = point;
  }
}

/**
 * @param {Record<string, any>} binding
 * @returns {Buffer} what the city signed
 */
export function bindingStatement(binding) {
  const { scope, members, items } = binding.options;
  return statement(
    'binding', binding.issuance_id, binding.request_digest, binding.holder, binding.kind,
    scope, members, items, binding.numbers, binding.file_digest, binding.pages,
  );
}

/**
 * Open the certificate and check everything.
 *
 * @param {Record<string, any>} released the telegram
 * @param {object} applied what this terminal applied with and holds
 * @param {Buffer} applied.issuanceId
 * @param {Buffer} applied.requestDigest of the plaintext of its `apply`
 * @param {string} applied.kind
 * @param {{scope: string, members: number[], items: string[]}} applied.options
 * @param {number} applied.copies
 * @param {number} applied.sheets quoted
 * @param {Buffer} applied.sealed
 * @param {Buffer[]} bindingKeys the signature holds under one of them
 * @returns {Buffer} the PDF
 * @throws {BindingMismatch}
 */
export function verifiedDocument(released, applied, bindingKeys) {
  const { binding, binding_signature: signature } = released;
  const demand = (good, point) => {
    if (!good) throw new BindingMismatch(point);
  };
  const stated = bindingStatement(binding);
  demand(bindingKeys.some((key) => holds(key, stated, signature)), 1);
  demand(released.issuance_id.equals(applied.issuanceId), 2);
  demand(binding.issuance_id.equals(applied.issuanceId), 2);
  demand(binding.kind === applied.kind, 2);
  demand(sameOptions(binding.options, applied.options), 2);
  demand(binding.request_digest.equals(applied.requestDigest), 2);
  demand(binding.numbers.length === applied.copies, 3);
  demand(new Set(binding.numbers).size === binding.numbers.length, 3);
  const pdf = opened(released.content_key, applied);
  demand(pdf !== null && sha256(pdf).equals(binding.file_digest), 4);
  const digests = digestsOf(pdf, applied.sheets);
  demand(digests !== null, 5);
  demand(digests.length === binding.pages.length, 5);
  demand(digests.every((digest, sheet) => digest.equals(binding.pages[sheet])), 5);
  return pdf;
}

function opened(key, { sealed, issuanceId, sheets }) {
  try {
    return openCertificate(sealed, { key, issuanceId, sheets });
  } catch {
    return null;
  }
}

function digestsOf(pdf, sheets) {
  try {
    return sheetDigests(pdf, sheets);
  } catch {
    return null;
  }
}

function sameOptions(one, other) {
  const list = ({ scope, members, items }) => JSON.stringify([scope, members, items]);
  return list(one) === list(other);
}
