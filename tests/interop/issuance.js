/** One issuance from application to confirmed deletion (SPEC sections 12, 15 and 16). */

import { randomBytes } from 'node:crypto';
import { BindingMismatch, verifiedDocument } from './binding.js';
import { NoReply } from './line.js';
import { RELEASE_REPEAT_MS_MAX, REQUEST_REPEAT_MS_MAX } from './limits.js';
import { pieceCount, sealedBytes } from './sealedCertificate.js';
import { signStatement, statement } from './statement.js';
import { encodeTelegram, sha256 } from './telegrams.js';

const ID_BYTES = 16;
const ENDED = 1005;
const UNKNOWN = 1004;
const BUSY = 1007;
const SERVER_FAULT = 9001;
const DECIDED_BANDS = [30, 40];
const ASK_AGAIN_MS = 1500;

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms).unref(); });

/**
 * @typedef {object} Machine what an issuance needs of the terminal
 * @property {import('./line.js').Line} line
 * @property {import('./journal.js').Journal} journal
 * @property {{terminal: string, key: import('node:crypto').KeyObject, bindingKeys: Buffer[]}} given
 * @property {(issuance: string, pdf: Buffer) => string} layPaper returns where it lies
 * @property {(step: string) => Promise<void>} at called before a step, for tests
 * @property {{completed: number, reversed: number, fees_earned_yen: number}} counters
 */

/**
 * @typedef {object} Wish
 * @property {string} kind
 * @property {{scope: string, members: number[], items: string[]}} options
 * @property {number} copies
 */

/** The city refused; nothing was printed and the money, if any, was given back. */
export class Refused extends Error {
  /** @param {string} step @param {{code: number, tries_left: number | null}} refusal */
  constructor(step, { code, tries_left: triesLeft }) {
    super(`${step} was refused with ${code}`);
    Object.assign(this, { step, code, triesLeft });
  }
}

/** What was fetched is not what was quoted (TP-092). */
class SealedMismatch extends Error {}

/**
 * Ask until something is decided: BUSY is asked again, with the same plaintext.
 *
 * @param {import('./line.js').Line} line
 * @param {Record<string, unknown> & {telegram: string}} fields
 * @param {number} [waitMs]
 * @returns {Promise<Record<string, any>>}
 * @throws {Refused | NoReply}
 */
export async function ask(line, fields, waitMs) {
  const until = Date.now() + (waitMs ?? Infinity);
  for (;;) {
    const left = waitMs === undefined ? undefined : Math.max(until - Date.now(), 0);
    const reply = await line.request(fields, { waitMs: left });
    if (reply.telegram !== 'refused') return reply;
    const isOpen = reply.code === BUSY || (reply.code === SERVER_FAULT && fields.telegram === 'release');
    if (!isOpen) throw new Refused(fields.telegram, reply);
    await pause(ASK_AGAIN_MS);
  }
}

/** Conducts one issuance; the journal is written before each step that others see. */
export class Issuance {
  #machine;
  #id = randomBytes(ID_BYTES);

  /** @param {Machine} machine */
  constructor(machine) {
    this.#machine = machine;
  }

  get issuance() {
    return this.#id.toString('hex');
  }

  /**
   * @param {Buffer} visitId
   * @param {Wish} wish
   * @returns {Promise<object>} what came of it
   */
  async conduct(visitId, wish) {
    const { journal, line } = this.#machine;
    const apply = { telegram: 'apply', visit_id: visitId, issuance_id: this.#id, ...wish };
    const applied = { issuanceId: this.#id, requestDigest: sha256(encodeTelegram(apply)), ...wish };
    await this.#record('applied');
    const quotation = await this.#orEnd(ask(line, apply));
    await this.#record('quoted', { sheets: quotation.sheets, fee_yen: quotation.fee_yen });
    try {
      const sealed = await this.#fetchAll(quotation);
      journal.spool(this.issuance, sealed);
      const held = { telegram: 'held', issuance_id: this.#id, sealed_digest: quotation.sealed_digest };
      await ask(line, held);
    } catch (error) {
      await this.#cancel(error instanceof SealedMismatch ? 'binding-mismatch' : 'cancelled');
      throw error;
    }
    await this.#record('sealed');
    const released = await this.#release(quotation.fee_yen);
    if (released === null) return this.#fail('no-release-answer');
    await this.#record('released');
    return this.#print(released, { ...applied, sheets: quotation.sheets }, quotation.fee_yen);
  }

  async #record(record, fields = {}) {
    this.#machine.journal.append({ record, issuance: this.issuance, ...fields });
    await this.#machine.at(record);
  }

  /** Before the release: a refusal ends the issuance here too. */
  async #orEnd(answer) {
    try {
      return await answer;
    } catch (error) {
      await this.#record('ended', { state: 'withdrawn' });
      throw error;
    }
  }

  async #fetchAll({ sheets, sealed_bytes: bytes, sealed_digest: digest, pieces }) {
    if (bytes !== sealedBytes(sheets) || pieces !== pieceCount(bytes)) {
      throw new SealedMismatch('the quotation contradicts itself');
    }
    const numbers = Array.from({ length: pieces }, (_, piece) => piece);
    const contents = await Promise.all(numbers.map(async (piece) => {
      const fetch = { telegram: 'fetch', issuance_id: this.#id, piece };
      return (await ask(this.#machine.line, fetch)).content;
    }));
    const sealed = Buffer.concat(contents);
    if (sealed.length !== bytes || !sha256(sealed).equals(digest)) {
      throw new SealedMismatch('the sealed certificate is not the quoted one');
    }
    return sealed;
  }

  async #cancel(cause) {
    const cancel = { telegram: 'cancel', issuance_id: this.#id, cause };
    await ask(this.#machine.line, cancel, RELEASE_REPEAT_MS_MAX).catch(() => {});
    this.#machine.journal.erase(this.issuance);
    await this.#record('ended', { state: 'withdrawn' });
  }

  /**
   * Ask for the key (TP-110 to TP-112).
   *
   * @returns {Promise<Record<string, any> | null>} null: it must never be printed
   */
  async #release(feeYen) {
    await this.#record('releasing', { amount_yen: feeYen });
    const release = { telegram: 'release', issuance_id: this.#id, amount_yen: feeYen };
    try {
      return await ask(this.#machine.line, release, RELEASE_REPEAT_MS_MAX);
    } catch (error) {
      const isDecided = error instanceof Refused
        && (DECIDED_BANDS.includes(Math.floor(error.code / 100)) || [ENDED, UNKNOWN].includes(error.code));
      if (isDecided) {
        this.#machine.journal.erase(this.issuance);
        await this.#record('ended', { state: 'withdrawn' });
        throw error;
      }
      if (error instanceof Refused || error instanceof NoReply) return null;
      throw error;
    }
  }

  async #print(released, applied, feeYen) {
    const { journal, given, layPaper } = this.#machine;
    let pdf;
    try {
      const sealed = journal.spooled(this.issuance);
      pdf = verifiedDocument(released, { ...applied, sealed }, given.bindingKeys);
    } catch (error) {
      if (error instanceof BindingMismatch) return this.#fail('binding-mismatch');
      throw error;
    } finally {
      released.content_key.fill(0);
    }
    for (let sheet = 1; sheet <= applied.sheets; sheet += 1) {
      await this.#record('sheet-begun', { sheet });
      await this.#record('sheet-out', { sheet });
    }
    const paper = layPaper(this.issuance, pdf);
    pdf.fill(0);
    decide(this.#machine, this.issuance, { outcome: 'printed', sheets_out: applied.sheets });
    const state = await settle(this.#machine, this.issuance);
    return { outcome: 'printed', state, paper, sheets: applied.sheets, fee_yen: feeYen };
  }

  async #fail(cause) {
    decide(this.#machine, this.issuance, { outcome: 'failed', sheets_out: 0, cause });
    return { outcome: 'failed', cause, state: await settle(this.#machine, this.issuance) };
  }
}

/**
 * Store what the print report will say, signed (TP-080); from now on it is said unchanged.
 *
 * @param {Machine} machine
 * @param {string} issuance
 * @param {{outcome: string, sheets_out: number, sheets_unknown?: boolean, cause?: string}} fate
 */
export function decide({ journal, given }, issuance, fate) {
  const report = { sheets_unknown: false, cause: 'none', at_ms: Date.now(), ...fate };
  const signed = statement(
    'print-report', given.terminal, Buffer.from(issuance, 'hex'), report.outcome, report.sheets_out,
    report.sheets_unknown ? 1 : 0, report.cause, report.at_ms,
  );
  const signature = signStatement(given.key, signed).toString('hex');
  const state = report.outcome === 'printed' ? 'printed' : 'print-failed';
  journal.append({ record: 'decided', issuance, state, report: { ...report, signature } });
}

/**
 * Report, erase, and say that it is erased, until both are acknowledged (TP-081, TP-082).
 *
 * @param {Machine} machine
 * @param {string} issuance
 * @returns {Promise<string>} the state in which it ended
 */
export async function settle({ line, journal, given, counters }, issuance) {
  const known = journal.issuances.get(issuance);
  const id = Buffer.from(issuance, 'hex');
  const { signature, ...report } = known.report;
  await advise(line, {
    telegram: 'report', report: { issuance_id: id, ...report }, signature: Buffer.from(signature, 'hex'),
  });
  journal.erase(issuance);
  if (known.deletion === undefined) {
    const atMs = Date.now();
    const signed = statement('deletion-report', given.terminal, id, atMs);
    const word = signStatement(given.key, signed).toString('hex');
    journal.append({ record: 'deletion', issuance, at_ms: atMs, signature: word });
  }
  const taken = await advise(line, {
    telegram: 'deleted',
    report: { issuance_id: id, at_ms: known.deletion.at_ms },
    signature: Buffer.from(known.deletion.signature, 'hex'),
  });
  const state = taken.state ?? (report.outcome === 'printed' ? 'completed' : 'reversed');
  journal.append({ record: 'ended', issuance, state });
  if (taken.state in counters) counters[taken.state] += 1; // not what the server withdrew
  if (taken.state === 'completed') counters.fees_earned_yen += known.feeYen;
  return state;
}

/**
 * Repeat an advice until it is taken or its issuance has ended at the server.
 *
 * @returns {Promise<Record<string, any>>} the reply; `state` is missing if it had ended
 */
async function advise(line, fields) {
  for (;;) {
    const reply = await line.request(fields);
    if (reply.telegram === 'acknowledged' || [ENDED, UNKNOWN].includes(reply.code)) return reply;
    await pause(REQUEST_REPEAT_MS_MAX);
  }
}
