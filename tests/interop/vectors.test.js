/** Our test vectors (tests/vectors), passed by code that was written from SPEC.md alone. */

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encode } from '@msgpack/msgpack';
import { DOWN, UP, decodeEnvelope, decodeFlight, encodeHeader } from './envelope.js';
import { openShared, xWingDecapsulate, xWingExpand } from './hpke.js';
import { EXPORTER_LABEL, Generation, directionKeys, exporterContext, openWith } from './keySchedule.js';
import { pageDigests, pageForms } from './pageDigest.js';
import { sheetDigest, sheetDigests } from './sheetDigest.js';
import { openPin, sealPin } from './pinBlock.js';
import { openCertificate, pieceCount, sealCertificate } from './sealedCertificate.js';
import { holds, signStatement, signingKey, statement } from './statement.js';
import { Malformed } from './telegramTables.js';
import { decodeTelegram, encodeTelegram, pad, sha256 } from './telegrams.js';

const vectors = (name) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
const hex = (text) => Buffer.from(text, 'hex');

/** Turn the texts of a vector that begin with "hex:" into bytes. */
function bytesIn(value) {
  if (typeof value === 'string' && value.startsWith('hex:')) return hex(value.slice(4));
  if (Array.isArray(value)) return value.map(bytesIn);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, bytesIn(held)]));
}

test('statements have the given bytes, and their signatures hold', () => {
  for (const given of vectors('statements').statements) {
    const made = statement(given.label, ...given.fields.map(({ value }) => bytesIn(value)));
    assert.equal(made.toString('hex'), given.statement, given.label);
    if (given.signature === undefined) continue;
    const key = signingKey(hex(given.seed_test_only));
    const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
    assert.equal(publicKey.toString('hex'), given.public_key);
    assert.equal(signStatement(key, made).toString('hex'), given.signature);
    assert.ok(holds(hex(given.public_key), made, hex(given.signature)));
    assert.ok(!holds(hex(given.public_key), Buffer.concat([made, Buffer.of(0)]), hex(given.signature)));
  }
});

test('the key schedule gives the keys of both directions', () => {
  const given = vectors('key_schedule');
  const line = { city: given.city, terminal: given.terminal, lineId: hex(given.line_id) };
  const context = exporterContext(line, given.generation);
  assert.equal(EXPORTER_LABEL, given.exporter_label);
  assert.equal(context.toString('hex'), given.exporter_context);
  for (const [direction, name] of [[UP, 'up'], [DOWN, 'down']]) {
    const made = directionKeys(hex(given.exported_secret_test_only), context, direction);
    assert.equal(made.key.toString('hex'), given.directions[name].key_test_only);
    assert.equal(made.nonceBase.toString('hex'), given.directions[name].nonce_base_test_only);
  }
});

test('envelopes open, once, and what is none is dropped', () => {
  const schedule = vectors('key_schedule');
  const given = vectors('envelopes');
  const line = { city: schedule.city, terminal: schedule.terminal, lineId: hex(schedule.line_id) };
  const exported = hex(schedule.exported_secret_test_only);
  const context = exporterContext(line, schedule.generation);
  const generation = new Generation(line, schedule.generation, exported);
  for (const { header, body, direction, plaintext, counter } of given.telegrams) {
    const envelope = decodeEnvelope(hex(header + body));
    assert.equal(envelope.counter, counter);
    assert.equal(encodeHeader(envelope).toString('hex'), header);
    const keys = directionKeys(exported, context, direction === 'up' ? UP : DOWN);
    assert.equal(openWith(keys, envelope.header, envelope.body, counter).toString('hex'), plaintext);
    if (direction === 'up') continue;
    const altered = { ...envelope, body: Buffer.from(envelope.body) };
    altered.body[0] ^= 1;
    assert.equal(generation.open(altered), null);
    assert.equal(generation.open(envelope).toString('hex'), plaintext);
    assert.equal(generation.open(envelope), null, 'a second time');
  }
  for (const { header, body, handshake_id: handshakeId, counter } of given.flights) {
    const envelope = decodeEnvelope(hex(header + body));
    assert.equal(envelope.counter, counter);
    assert.equal(decodeFlight(envelope).handshakeId.toString('hex'), handshakeId);
  }
  for (const { header, counter } of given.rejections) {
    assert.equal(decodeEnvelope(hex(header)).counter, counter);
  }
  for (const { message, why } of given.refused) assert.equal(decodeEnvelope(hex(message)), null, why);
});

test('the terminal seals as the vectors do', () => {
  const schedule = vectors('key_schedule');
  const line = { city: schedule.city, terminal: schedule.terminal, lineId: hex(schedule.line_id) };
  const exported = hex(schedule.exported_secret_test_only);
  const generation = new Generation(line, schedule.generation, exported);
  for (const given of vectors('envelopes').telegrams.filter((one) => one.direction === 'up')) {
    if (given.counter > 1000) continue;
    let sealed;
    do sealed = generation.seal(hex(given.plaintext)); while (sealed.counter < given.counter);
    assert.equal(sealed.message.toString('hex'), given.header + given.body);
  }
});

test('the window drops what opened before and what is too old', () => {
  const { city, terminal, line_id: lineId, generation: number, exported_secret_test_only: exported } =
    vectors('key_schedule');
  const generation = new Generation({ city, terminal, lineId: hex(lineId) }, number, hex(exported));
  const down = vectors('envelopes').telegrams.filter((given) => given.direction === 'down');
  const [zero, one, , last] = down.map(({ header, body }) => decodeEnvelope(hex(header + body)));
  assert.notEqual(generation.open(one), null);
  assert.notEqual(generation.open(zero), null, 'within the window');
  assert.notEqual(generation.open(last), null);
  assert.equal(generation.open(one), null, 'below the window');
});

test('telegrams pack, pad and validate', () => {
  for (const given of vectors('telegrams').telegrams) {
    const fields = bytesIn(given.fields);
    const plaintext = pad(hex(given.packed), fields.telegram);
    assert.equal(plaintext.length, given.plaintext_bytes, fields.telegram);
    assert.equal(sha256(plaintext).toString('hex'), given.plaintext_digest, fields.telegram);
    const read = decodeTelegram(plaintext);
    for (const [name, value] of Object.entries(fields)) {
      assert.deepEqual(read[name], value, `${fields.telegram}.${name}`);
    }
    assert.deepEqual(decodeTelegram(encodeTelegram(fields)), read, 'our own encoding');
    assert.equal(encodeTelegram(fields).length, given.plaintext_bytes, 'our own bucket');
  }
});

test('telegrams that do not fit the tables are refused by path, without a value', () => {
  const visitId = Buffer.alloc(16);
  const refusals = [
    ['$.attempt', { telegram: 'begin', visit_id: visitId, attempt: 11 }],
    ['$.attempt', { telegram: 'begin', visit_id: visitId }],
    ['$.visit_id', { telegram: 'begin', visit_id: 'text', attempt: 1 }],
    ['$.telegram', { telegram: 'toString' }],
    ['$.counters.completed', { telegram: 'close', counters: { completed: true } }],
  ];
  for (const [path, fields] of refusals) {
    const plaintext = pad(encode(fields), 'begin');
    assert.throws(() => decodeTelegram(plaintext), (error) =>
      error instanceof Malformed && error.message === path);
  }
  const good = encodeTelegram({ telegram: 'begin', visit_id: visitId, attempt: 1 });
  assert.throws(() => decodeTelegram(good.subarray(0, 511)), Malformed);
  good[511] = 1;
  assert.throws(() => decodeTelegram(good), Malformed);
  const later = { telegram: 'begin', visit_id: visitId, attempt: 1, from_a_later_version: [1] };
  assert.equal(decodeTelegram(pad(encode(later), 'begin')).attempt, 1);
});

test('the PIN block opens, and a block of our own opens the same way', () => {
  const given = vectors('pin_block');
  const seed = hex(given.seed_test_only);
  const info = hex(given.info);
  assert.equal(xWingExpand(seed).publicKey.toString('hex'), given.public_key);
  assert.equal(openPin(seed, info, hex(given.pin_block)), given.pin_test_only);
  const own = sealPin(hex(given.public_key), info, '012345678901');
  assert.equal(own.length, 1152);
  assert.equal(openPin(seed, info, own), '012345678901');
  assert.throws(() => openPin(seed, Buffer.concat([info, Buffer.of(0)]), own));
});

test('X-Wing and HPKE agree with the published vectors', () => {
  for (const given of vectors('published/x_wing').vectors) {
    assert.equal(xWingExpand(hex(given.seed)).publicKey.toString('hex'), given.pk);
    assert.equal(xWingDecapsulate(hex(given.seed), hex(given.ct)).toString('hex'), given.ss);
  }
  const ofHkdf = ({ kdf_id: kdf }) => kdf === 1; // the other is a KDF that PIN blocks do not use
  for (const given of vectors('published/hpke_pq_x_wing').vectors.filter(ofHkdf)) {
    const shared = xWingDecapsulate(hex(given.skRm), hex(given.enc));
    const { ct, aad, pt } = given.encryptions[0];
    const associated = hex(aad);
    const opened = openShared(shared, hex(given.info), hex(ct), { aead: given.aead_id, associated });
    assert.equal(opened.toString('hex'), pt);
  }
});

test('the sealed certificate opens for its issuance and sheets only', () => {
  const given = vectors('sealed_certificate');
  const key = hex(given.content_key_test_only);
  const of = { key, issuanceId: hex(given.issuance_id), sheets: given.sheets };
  const sealed = sealCertificate(hex(given.pdf), of);
  assert.equal(sealed.length, given.sealed_bytes);
  assert.equal(sha256(sealed).toString('hex'), given.sealed_digest);
  assert.equal(sealed.toString('hex', 0, 32), given.sealed_first);
  assert.equal(sealed.subarray(-16).toString('hex'), given.sealed_tag);
  assert.equal(pieceCount(sealed.length), 6);
  assert.equal(openCertificate(sealed, of).toString('hex'), given.pdf);
  assert.throws(() => openCertificate(sealed, { ...of, sheets: 2 }));
  assert.throws(() => openCertificate(sealed, { ...of, issuanceId: Buffer.alloc(16) }));
});

test('the page digest is that of the canonical form', () => {
  const given = vectors('page_digest');
  const pdf = hex(given.pdf);
  assert.deepEqual(pageForms(pdf).map((form) => form.toString('latin1')), [
    hex(given.form).toString('latin1'),
  ]);
  assert.deepEqual(pageDigests(pdf).map((one) => one.toString('hex')), given.page_digests);
  const orphan = pdf.toString('latin1').replace('/Parent 2 0 R', '/Parent 1 0 R');
  assert.throws(() => pageDigests(Buffer.from(orphan, 'latin1')), /page tree/);
});

test('the sheet digest is that of the face, or of both sides', () => {
  const { pdf, page_digests: pages, two_sides: given } = vectors('page_digest');
  assert.deepEqual(sheetDigests(hex(pdf), 1).map((one) => one.toString('hex')), pages);
  assert.equal(sheetDigest(hex(given.face), hex(given.back)).toString('hex'), given.sheet_digest);
  assert.throws(() => sheetDigests(hex(pdf), 2), /number of pages/);
});

test('the envelopes of a whole visit open, and the replies name their requests', () => {
  const given = vectors('visit');
  const line = { city: given.city, terminal: given.terminal, lineId: hex(given.line_id) };
  const number = hex(given.handshake_id).readUInt32BE(0);
  const exported = hex(given.exported_secret_test_only);
  const context = exporterContext(line, number);
  const asked = new Map();
  for (const step of given.steps.filter(({ message }) => message !== undefined)) {
    const envelope = decodeEnvelope(hex(step.message));
    const keys = directionKeys(exported, context, step.direction === 'up' ? UP : DOWN);
    const plaintext = openWith(keys, envelope.header, envelope.body, envelope.counter);
    const fields = decodeTelegram(plaintext);
    assert.equal(fields.telegram, step.fields.telegram);
    if (step.direction === 'up') asked.set(envelope.counter, sha256(plaintext).toString('hex'));
    else if (fields.in_reply_to) assert.equal(fields.in_reply_to[2].toString('hex'), asked.get(fields.in_reply_to[1]));
  }
});
