/** What the terminal must know after a power cut: records in one file, each flushed (section 16). */

import {
  closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync, writeSync,
} from 'node:fs';
import path from 'node:path';

/**
 * One issuance as the journal tells it.
 *
 * @typedef {object} Remembered
 * @property {string} issuance hexadecimal id
 * @property {string} state by its name in docs/states.md
 * @property {number} sheets quoted
 * @property {number} feeYen quoted
 * @property {number} begun sheets that may have left the printer
 * @property {number} out sheets that have left it
 * @property {object} [report] the stored print report and signature
 * @property {object} [deletion] the stored deletion report and signature
 */

const ENDS = ['completed', 'reversed', 'closed', 'withdrawn'];
const AFTER_RELEASE = ['releasing', 'released'];

export class Journal {
  #file;
  #spool;
  #dieAfter;
  /** @type {Map<string, Remembered>} */
  issuances = new Map();

  /**
   * @param {string} folder made if it is not there
   * @param {string} [dieAfter] a record behind which the process kills itself; for tests
   */
  constructor(folder, dieAfter) {
    this.#spool = path.join(folder, 'spool');
    this.#dieAfter = dieAfter;
    mkdirSync(this.#spool, { recursive: true });
    const place = path.join(folder, 'journal.jsonl');
    const known = existsSync(place) ? readFileSync(place) : Buffer.alloc(0);
    const whole = known.subarray(0, known.lastIndexOf('\n') + 1); // the last record may be cut off
    for (const line of whole.toString().split('\n').slice(0, -1)) this.#apply(JSON.parse(line));
    this.#file = openSync(place, 'a');
    ftruncateSync(this.#file, whole.length);
  }

  /**
   * Write a record and flush it.
   *
   * @param {{record: string} & Record<string, unknown>} record
   */
  append(record) {
    writeSync(this.#file, `${JSON.stringify(record)}\n`);
    fsyncSync(this.#file);
    this.#apply(record);
    if (record.record === this.#dieAfter) process.kill(process.pid, 'SIGKILL');
  }

  /** @returns {Remembered[]} issuances without an end */
  unfinished() {
    return [...this.issuances.values()].filter(({ state }) => !ENDS.includes(state));
  }

  /** Write ciphertext to the spool, durably (TP-092). */
  spool(issuance, sealed) {
    const file = openSync(this.#spooled(issuance), 'w', 0o600);
    writeSync(file, sealed);
    fsyncSync(file);
    closeSync(file);
    this.#flushSpool();
  }

  /** @returns {Buffer} */
  spooled(issuance) {
    return readFileSync(this.#spooled(issuance));
  }

  erase(issuance) {
    rmSync(this.#spooled(issuance), { force: true });
    this.#flushSpool();
  }

  close() {
    closeSync(this.#file);
  }

  #flushSpool() {
    const folder = openSync(this.#spool, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  #spooled(issuance) {
    return path.join(this.#spool, `${issuance}.sealed`);
  }

  #apply({ record, issuance, ...fields }) {
    if (record === 'visit') return;
    if (record === 'applied') {
      this.issuances.set(issuance, { issuance, state: 'applied', sheets: 0, feeYen: 0, begun: 0, out: 0 });
      return;
    }
    const known = this.issuances.get(issuance);
    if (record === 'sheet-begun') known.begun += 1;
    else if (record === 'sheet-out') known.out += 1;
    else if (record === 'deletion') known.deletion = fields;
    else known.state = record === 'ended' || record === 'decided' ? fields.state : record;
    if (record === 'quoted') Object.assign(known, { sheets: fields.sheets, feeYen: fields.fee_yen });
    if (record === 'decided') known.report = fields.report;
  }
}

/**
 * Tell whether the key may have been given, so that the fate is open (TP-116).
 *
 * @param {Remembered} issuance
 * @returns {boolean}
 */
export function isAfterRelease({ state }) {
  return AFTER_RELEASE.includes(state);
}
