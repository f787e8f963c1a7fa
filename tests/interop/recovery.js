/** Opening, and what an earlier process left behind (TP-103, TP-116). */

import { isAfterRelease } from './journal.js';
import { Refused, ask, decide, settle } from './issuance.js';
import { TABLES_VERSION } from './limits.js';

const SOFTWARE = 'konbini-kofu interop 0.1';
const BEFORE_RELEASE = ['applied', 'quoted', 'sealed'];

/**
 * Decide over what the process before left; before any line opens.
 *
 * @param {import('./issuance.js').Machine} machine
 */
export function decideLeftovers(machine) {
  for (const left of machine.journal.unfinished()) {
    if (BEFORE_RELEASE.includes(left.state)) {
      machine.journal.erase(left.issuance);
      machine.journal.append({ record: 'ended', issuance: left.issuance, state: 'withdrawn' });
    } else if (isAfterRelease(left)) {
      const isAllOut = left.sheets > 0 && left.out === left.sheets;
      decide(machine, left.issuance, isAllOut
        ? { outcome: 'printed', sheets_out: left.out }
        : {
          outcome: 'failed', sheets_out: left.out, sheets_unknown: left.begun > left.out, cause: 'power-loss',
        });
    }
  }
}

/**
 * Send `open` and return what came.
 *
 * @param {import('./issuance.js').Machine} machine
 * @returns {Promise<Record<string, any>>}
 */
export function open({ line, journal, given }) {
  const unfinished = journal.unfinished().map(({ issuance, state }) => ({
    issuance_id: Buffer.from(issuance, 'hex'), state,
  }));
  return ask(line, {
    telegram: 'open',
    terminal: given.terminal,
    software: SOFTWARE,
    tables_version: TABLES_VERSION,
    unfinished,
  });
}

/**
 * Bring to an end what either side listed.
 *
 * @param {import('./issuance.js').Machine} machine
 * @param {Record<string, any>} opened
 * @returns {Promise<{issuance: string, state: string}[]>} what was settled
 */
export async function settleLeftovers(machine, opened) {
  const { line, journal } = machine;
  const settled = [];
  for (const { issuance } of journal.unfinished()) {
    settled.push({ issuance, state: await settle(machine, issuance) });
  }
  for (const { issuance_id: id, state } of opened.unfinished) {
    const issuance = id.toString('hex');
    const known = journal.issuances.get(issuance);
    if (settled.some((one) => one.issuance === issuance)) continue;
    if (BEFORE_RELEASE.includes(state)) {
      await ask(line, { telegram: 'cancel', issuance_id: id, cause: 'power-loss' }).catch((error) => {
        if (!(error instanceof Refused)) throw error; // it has ended
      });
      settled.push({ issuance, state: 'withdrawn' });
    } else if (known?.report !== undefined) {
      settled.push({ issuance, state: await settle(machine, issuance) });
    }
  }
  return settled;
}
