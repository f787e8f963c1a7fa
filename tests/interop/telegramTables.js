/** The tables of SPEC section 7, copied: types, structures, telegrams. */

const SAFE = Number.MAX_SAFE_INTEGER;

/** @typedef {(value: unknown, path: string) => void} Check throws Malformed with the path */

/** A telegram that does not fit the tables; the message is the field's path and no value. */
export class Malformed extends Error {}

/** @param {boolean} good @param {string} path */
function demand(good, path) {
  if (!good) throw new Malformed(path);
}

const bin = (least, most = least) => (value, path) =>
  demand(value instanceof Uint8Array && value.length >= least && value.length <= most, path);
const int = (least, most) => (value, path) =>
  demand(Number.isSafeInteger(value) && value >= least && value <= most, path);
const str = (least, most) => (value, path) => {
  demand(typeof value === 'string', path);
  const characters = [...value].length; // code points, not UTF-16 units
  demand(characters >= least && characters <= most, path);
};
const choice = (...words) => (value, path) => demand(words.includes(value), path);
const arrayOf = (check, least, most) => (value, path) => {
  demand(Array.isArray(value) && value.length >= least && value.length <= most, path);
  value.forEach((item, index) => check(item, `${path}[${index}]`));
};
const orNil = (check) => (value, path) => {
  if (value !== null) check(value, path);
};
const flag = (value, path) => demand(typeof value === 'boolean', path);

const id = bin(16);
const digest = bin(32);
const signature = bin(64);
const count = int(0, SAFE);
const ms = int(0, SAFE);
const yen = int(0, 1000000);
const attempt = int(1, 10);
const copies = int(1, 5);
const sheets = int(0, 40);
const pieceNumber = int(0, 4096);
const name = str(1, 64);
const text = str(0, 200);
const kind = choice(
  'juminhyo', 'kisaijiko', 'inkan', 'kazei', 'koseki-zenbu', 'koseki-kojin', 'fuhyo',
);
const item = choice('relationship', 'domicile', 'my-number');
const cause = choice(
  'none', 'no-release-answer', 'binding-mismatch', 'printer', 'power-loss', 'cancelled',
);
const CODES = [
  1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009,
  2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009,
  3001, 3002, 3003, 3004, 3005, 3006, 3007,
  3021, 3022, 3023, 3024, 3031, 3032, 3041, 3042, 3043, 3051, 3052, 3053, 3061,
  4001, 4002, 4003, 4004, 4005, 5001, 5002, 9001,
];

/** A field with a default; it may be missing. */
class Optional {
  constructor(check, value) {
    this.check = check;
    this.value = value;
  }
}

/**
 * Check a map of fields; unknown fields are ignored (TP-043), defaults are filled in.
 *
 * @param {Record<string, Check | Optional>} fields
 * @returns {Check}
 */
export function map(fields) {
  return (value, path) => {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
      && !(value instanceof Uint8Array);
    demand(isMap, path);
    for (const [field, check] of Object.entries(fields)) {
      const here = `${path}.${field}`;
      if (check instanceof Optional) {
        if (!Object.hasOwn(value, field)) value[field] = structuredClone(check.value);
        check.check(value[field], here);
      } else {
        demand(Object.hasOwn(value, field), here);
        check(value[field], here);
      }
    }
  };
}

const unfinished = new Optional(arrayOf(map({ issuance_id: id, state: name }), 0, 64), []);
const menuItem = map({ kind, fee_yen: yen, items: new Optional(arrayOf(item, 0, 3), []) });
const member = map({ number: int(1, 32), name: str(1, 100) });
const options = map({
  scope: new Optional(choice('self', 'household', 'some'), 'self'),
  members: new Optional(arrayOf(int(1, 32), 0, 32), []),
  items: new Optional(arrayOf(item, 0, 3), []),
});
const binding = map({
  issuance_id: id,
  request_digest: digest,
  holder: name,
  kind,
  options,
  numbers: arrayOf(name, 1, 5),
  file_digest: digest,
  pages: arrayOf(digest, 1, 40),
});
const printReport = map({
  issuance_id: id,
  outcome: choice('printed', 'failed'),
  sheets_out: sheets,
  sheets_unknown: flag,
  cause,
  at_ms: ms,
});
const deletionReport = map({ issuance_id: id, at_ms: ms });
const checkpoint = map({ size: count, root: digest, at_ms: ms, signature });
const witnessed = new Optional(count, 0);
const shown = {
  checkpoint: new Optional(orNil(checkpoint), null),
  proof: new Optional(arrayOf(digest, 0, 48), []),
};
const counters = map({ completed: count, reversed: count, fees_earned_yen: count });

const inReplyTo = (value, path) => {
  demand(Array.isArray(value) && value.length === 3, path);
  int(0, 2 ** 32 - 1)(value[0], `${path}[0]`);
  int(0, SAFE)(value[1], `${path}[1]`);
  digest(value[2], `${path}[2]`);
};
const reply = (fields) => map({ in_reply_to: inReplyTo, ...fields });

/** Requests of a terminal with the replies that each may get. */
export const REPLIES = {
  open: ['opened', 'refused'],
  begin: ['challenge', 'refused'],
  authenticate: ['menu', 'refused'],
  'authenticate-certificate': ['menu', 'refused'],
  apply: ['quotation', 'refused'],
  fetch: ['piece', 'refused'],
  held: ['acknowledged', 'refused'],
  release: ['released', 'refused'],
  report: ['acknowledged', 'refused'],
  deleted: ['acknowledged', 'refused'],
  cancel: ['acknowledged', 'refused'],
  'end-visit': ['acknowledged', 'refused'],
  'register-domicile': ['domicile-told', 'refused'],
  'ask-domicile': ['domicile-told', 'refused'],
  close: ['closed', 'refused'],
  'line-test': ['line-tested'],
};

/** @type {Record<string, Check>} */
export const TELEGRAMS = {
  open: map({ terminal: name, software: text, tables_version: count, unfinished, witnessed }),
  opened: reply({
    city: name, software: text, tables_version: count, call_centre: text, unfinished, ...shown,
  }),
  begin: map({ visit_id: id, attempt }),
  challenge: reply({ visit_id: id, attempt, challenge: bin(32), valid_ms: ms }),
  authenticate: map({
    visit_id: id, attempt, card: id, card_signature: signature, pin_block: bin(16, 1400),
  }),
  'authenticate-certificate': map({
    visit_id: id, attempt, certificate: bin(1, 1792), card_signature: signature,
  }),
  menu: reply({ visit_id: id, items: arrayOf(menuItem, 0, 7), members: arrayOf(member, 0, 32) }),
  apply: map({ visit_id: id, issuance_id: id, kind, options, copies }),
  quotation: reply({
    issuance_id: id, fee_yen: yen, sheets, sealed_bytes: count, sealed_digest: digest,
    pieces: count, valid_ms: ms,
  }),
  fetch: map({ issuance_id: id, piece: pieceNumber }),
  piece: reply({ issuance_id: id, piece: pieceNumber, content: bin(1, 49152) }),
  held: map({ issuance_id: id, sealed_digest: digest }),
  release: map({ issuance_id: id, amount_yen: yen }),
  released: reply({ issuance_id: id, content_key: bin(32), binding, binding_signature: signature }),
  report: map({ report: printReport, signature }),
  deleted: map({ report: deletionReport, signature }),
  cancel: map({ issuance_id: id, cause }),
  'end-visit': map({ visit_id: id }),
  'register-domicile': map({
    visit_id: id, request_id: id, domicile: str(1, 100), register_head: str(1, 100),
    name: str(1, 100), birth: str(1, 40), phone: new Optional(str(0, 20), ''),
  }),
  'ask-domicile': map({ visit_id: id }),
  'domicile-told': reply({
    request_id: id,
    state: choice('accepted', 'checking', 'usable', 'rejected'),
    usable_from: new Optional(orNil(str(10, 10)), null),
    words: new Optional(text, ''),
  }),
  acknowledged: reply({ state: name }),
  refused: reply({
    code: (value, path) => demand(CODES.includes(value), path),
    tries_left: new Optional(orNil(int(0, 3)), null),
  }),
  close: map({ counters, witnessed }),
  closed: reply({ counters, ...shown }),
  'line-test': map({ nonce: count }),
  'line-tested': reply({ nonce: count }),
  notice: map({ notice: choice('draining', 'stopped') }),
};
