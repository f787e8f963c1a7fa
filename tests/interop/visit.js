/** One visit: card, PIN, choice (SPEC section 11). */

import { randomBytes } from 'node:crypto';
import { Issuance, Refused, ask } from './issuance.js';
import { cardProof, pinBlockInfo, sealPin } from './pinBlock.js';

const ID_BYTES = 16;
/** After these the next attempt may begin: PIN_WRONG, CARD_BUSY and 2006 to 2009. */
const AGAIN = [2002, 2004, 2006, 2007, 2008, 2009];

/**
 * @typedef {object} Card
 * @property {Buffer} number
 * @property {import('node:crypto').KeyObject} key
 */

/**
 * Conduct a visit with the PINs that the resident types, one after the other.
 *
 * @param {import('./issuance.js').Machine & {city: string, pinSealingKey: Buffer}} machine
 * @param {Card} card
 * @param {{pins: string[], wish: import('./issuance.js').Wish}} resident
 * @returns {Promise<object>} what came of it
 */
export async function conductVisit(machine, card, { pins, wish }) {
  const { line, journal } = machine;
  const visitId = randomBytes(ID_BYTES);
  journal.append({ record: 'visit', visit: visitId.toString('hex') });
  try {
    await authenticate(machine, card, { visitId, pins });
    const issuance = new Issuance(machine);
    const result = await issuance.conduct(visitId, wish);
    return { issuance: issuance.issuance, ...result };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { outcome: 'refused', step: error.step, code: error.code, tries_left: error.triesLeft };
  } finally {
    await ask(line, { telegram: 'end-visit', visit_id: visitId }).catch((error) => {
      if (!(error instanceof Refused)) throw error; // it had ended, when the card was locked
    });
  }
}

async function authenticate(machine, card, { visitId, pins }) {
  for (const [index, pin] of pins.entries()) {
    try {
      await attemptOnce(machine, card, { visitId, attempt: index + 1, pin });
      return;
    } catch (error) {
      const mayTryAgain = error instanceof Refused && AGAIN.includes(error.code);
      if (!mayTryAgain || index + 1 === pins.length) throw error;
    }
  }
}

async function attemptOnce({ line, given, city, pinSealingKey }, card, { visitId, attempt, pin }) {
  const begin = { telegram: 'begin', visit_id: visitId, attempt };
  const { challenge } = await ask(line, begin);
  const proved = {
    challenge, visitId, attempt, terminal: given.terminal, city, card: card.number,
  };
  return ask(line, {
    telegram: 'authenticate',
    visit_id: visitId,
    attempt,
    card: card.number,
    card_signature: cardProof(card.key, proved),
    pin_block: sealPin(pinSealingKey, pinBlockInfo(proved), pin),
  });
}
