/** Sheet digests: what both sides of a sheet of paper show (TP-073). */

import { SIDES_MAX } from './limits.js';
import { pageDigests } from './pageDigest.js';
import { malformed } from './pdfReader.js';
import { statement } from './statement.js';
import { sha256 } from './telegrams.js';

/**
 * Compute the sheet digest of every sheet.
 *
 * @param {Buffer} pdf
 * @param {number} sheets of paper
 * @returns {Buffer[]}
 */
export function sheetDigests(pdf, sheets) {
  const pages = pageDigests(pdf);
  if (pages.length === sheets) return pages;
  if (pages.length !== sheets * SIDES_MAX) throw malformed('another number of pages');
  return Array.from({ length: sheets }, (_, at) => sheetDigest(pages[2 * at], pages[2 * at + 1]));
}

/**
 * @param {Buffer} face its page digest
 * @param {Buffer} back its page digest
 * @returns {Buffer}
 */
export function sheetDigest(face, back) {
  return sha256(statement('sheet', face, back));
}
