/** A terminal for one visit: `terminal.js GIVEN.json CARD.json --pin 1234 --storage S --out O`. */

import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createPrivateKey } from 'node:crypto';
import { parseArgs } from 'node:util';
import { BadCarrier, Carrier } from './carrier.js';
import { Refused, ask, pause } from './issuance.js';
import { Journal } from './journal.js';
import { Line } from './line.js';
import { decideLeftovers, open, settleLeftovers } from './recovery.js';
import { signingKey } from './statement.js';
import { PINNED } from './tlsClient.js';
import { conductVisit } from './visit.js';

const EXIT = { printed: 0, settled: 0, failed: 2, refused: 3, 'no-keys': 4 };
const NOTHING_COUNTED = { completed: 0, reversed: 0, fees_earned_yen: 0 };
const hex = (text) => Buffer.from(text, 'hex');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pin: { type: 'string', multiple: true, default: [] },
    storage: { type: 'string' },
    out: { type: 'string' },
    kind: { type: 'string', default: 'juminhyo' },
    scope: { type: 'string', default: 'self' },
    item: { type: 'string', multiple: true, default: [] },
    copies: { type: 'string', default: '1' },
    // for tests only
    'bad-carrier': { type: 'string' },
    'tls-offer': { type: 'string' },
    'keys-ms': { type: 'string', default: '60000' },
    'die-after': { type: 'string' },
    'wait-after': { type: 'string' },
  },
});

/** Everything that a terminal is given (SPEC section 1), from GIVEN.json. */
function readGiven(place) {
  const given = JSON.parse(readFileSync(place, 'utf8'));
  return {
    terminal: given.terminal,
    city: given.city,
    lineId: hex(given.line_id),
    keyCertificate: given.key_certificate,
    privateKey: given.private_key,
    lineAuthority: given.line_authority,
    key: createPrivateKey(given.private_key),
    bindingKeys: given.binding_keys.map(hex),
    pinSealingKey: hex(given.pin_sealing_key),
    broker: given.broker,
  };
}

function readCard(place) {
  const { number, seed } = JSON.parse(readFileSync(place, 'utf8'));
  return { number: hex(number), key: signingKey(hex(seed)) };
}

/** The printer: a sheet of paper is a page of a file. */
function layPaper(issuance, pdf) {
  const place = path.join(options.out, `${issuance}.pdf`);
  mkdirSync(options.out, { recursive: true });
  writeFileSync(place, pdf);
  return place;
}

/** Tell that a step is reached, and wait for a line on standard input if a test wants it. */
async function at(step) {
  if (step !== options['wait-after']) return;
  process.stderr.write(`reached ${step}\n`);
  await once(process.stdin, 'data');
  process.stdin.pause();
}

async function run(machine, givenKeys) {
  const { line, counters } = machine;
  const waitMs = Number(options['keys-ms']);
  const hasKeys = await Promise.race([line.start().then(() => true), pause(waitMs).then(() => false)]);
  if (!hasKeys) return { outcome: 'no-keys' };
  line.on('reopen', async () => {
    await open(machine);
    Object.assign(counters, NOTHING_COUNTED); // both sides count from an opening to the closing
    line.reopened();
  });
  const settled = await settleLeftovers(machine, await open(machine));
  const [, cardFile] = positionals;
  const result = cardFile === undefined ? { outcome: 'settled' }
    : await conductVisit({ ...machine, ...givenKeys }, readCard(cardFile), {
      pins: options.pin,
      wish: {
        kind: options.kind,
        options: { scope: options.scope, members: [], items: options.item },
        copies: Number(options.copies),
      },
    });
  const closed = await ask(line, { telegram: 'close', counters });
  return { ...result, settled, counters: { terminal: counters, server: closed.counters } };
}

async function main() {
  const given = readGiven(positionals[0]);
  const journal = new Journal(options.storage, options['die-after']);
  const carrier = await Carrier.connect(given.broker, given);
  const plan = options['bad-carrier'] && JSON.parse(options['bad-carrier']);
  const used = plan ? new BadCarrier(carrier, plan) : carrier;
  const offer = { ...PINNED, ...JSON.parse(options['tls-offer'] ?? '{}') };
  const line = new Line(given, used, offer);
  const failures = [];
  line.on('handshakeFailed', (why) => failures.push(why));
  const counters = { ...NOTHING_COUNTED };
  const machine = { line, journal, given, layPaper, at, counters };
  decideLeftovers(machine);
  let result;
  try {
    result = await run(machine, { city: given.city, pinSealingKey: given.pinSealingKey });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    result = { outcome: 'refused', step: error.step, code: error.code };
  }
  line.stop();
  await used.end();
  journal.close();
  const summary = { ...result, handshake_failures: failures, line: line.counts, carrier: used.counts };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  process.exitCode = EXIT[result.outcome];
}

await main();
