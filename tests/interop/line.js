/** A line: keys, requests and their repeats, over a carrier that promises nothing. */

import { randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import {
  DOWN, KEY_EXCHANGE, REJECTION, TELEGRAM, decodeEnvelope, decodeFlight,
} from './envelope.js';
import { Handshake } from './handshake.js';
import {
  COPIES_REMEMBERED_MAX, GENERATION_AGE_MS_MAX, GENERATION_OVERLAP_MS, OUTSTANDING_REQUESTS_MAX,
  REQUEST_REPEAT_MS, REQUEST_REPEAT_MS_MAX,
} from './limits.js';
import { REPLIES } from './telegramTables.js';
import { decodeTelegram, encodeTelegram, sha256 } from './telegrams.js';

/** Requests that count under an opening: no answer to them is taken while `open` has none. */
const COUNTED = ['deleted', 'close'];

/** A request was given up without a reply. */
export class NoReply extends Error {}

/**
 * Emits `handshakeFailed` with the reason, `notice` with the word, and `reopen` when a rejection
 * led to new keys: the first telegram under these has to be `open`.
 */
export class Line extends EventEmitter {
  #line;
  #carrier;
  #offer;
  /** @type {import('./keySchedule.js').Generation | null} */
  #present = null;
  /** @type {import('./keySchedule.js').Generation | null} */
  #previous = null;
  #handshake = null;
  #isReopening = false;
  #age;
  #overlap;
  /** @type {Set<Request>} */
  #outstanding = new Set();
  /** @type {(() => void)[]} */
  #queue = [];
  /** What happened, by name; shown at the end. */
  counts = {
    dropped: 0, malformed: 0, late: 0, repeats: 0, rejections: 0, handshakes: 0, opened: 0,
  };

  /**
   * @param {import('./tlsClient.js').Identity & {terminal: string, lineId: Buffer}} line
   * @param {{send: (message: Buffer) => void, onMessage: (take: (message: Buffer) => void) => void}} carrier
   * @param {object} [offer] what TLS offers, if not what is pinned
   */
  constructor(line, carrier, offer) {
    super();
    this.#line = line;
    this.#carrier = carrier;
    this.#offer = offer;
    carrier.onMessage((message) => this.#take(message));
  }

  /** @returns {Promise<void>} when the first keys are there */
  start() {
    return new Promise((resolve) => {
      this.once('keys', resolve);
      this.#startHandshake();
    });
  }

  stop() {
    this.#handshake?.stop();
    clearTimeout(this.#age);
    clearTimeout(this.#overlap);
    for (const request of this.#outstanding) request.giveUp();
  }

  /**
   * Send a request until its reply comes (TP-045).
   *
   * @param {Record<string, unknown> & {telegram: string}} fields
   * @param {{waitMs?: number}} [options] after what time it is given up; never, if left out
   * @returns {Promise<Record<string, any>>} the reply
   * @throws {NoReply}
   */
  async request(fields, { waitMs } = {}) {
    const plaintext = encodeTelegram(fields);
    const digest = sha256(plaintext);
    for (const same of this.#outstanding) {
      if (same.digest.equals(digest)) return same.answered; // TP-046
    }
    while (this.#outstanding.size >= OUTSTANDING_REQUESTS_MAX) {
      await new Promise((resolve) => { this.#queue.push(resolve); });
    }
    const request = new Request(this, { kind: fields.telegram, plaintext, digest, waitMs });
    this.#outstanding.add(request);
    request.send();
    try {
      return await request.answered;
    } finally {
      this.#outstanding.delete(request);
      this.#queue.shift()?.();
    }
  }

  /**
   * Seal one copy under the newest keys; for Request.
   *
   * @returns {{generation: number, counter: number} | null} null while nothing may be sent
   */
  sendCopy(plaintext, kind) {
    if (!this.#present || (this.#isReopening && kind !== 'open')) return null;
    const generation = this.#present;
    const { counter, message } = generation.seal(plaintext);
    this.#carrier.send(message);
    if (generation.isUsedUp) this.#startHandshake();
    return { generation: generation.number, counter };
  }

  /** Opened again after a rejection: everything unanswered follows. */
  reopened() {
    this.#isReopening = false;
    this.#sendUnanswered();
  }

  #take(message) {
    const envelope = decodeEnvelope(message);
    const isOurs = envelope !== null && envelope.direction === DOWN
      && envelope.lineId.equals(this.#line.lineId);
    if (!isOurs) this.counts.dropped += 1;
    else if (envelope.kind === KEY_EXCHANGE) this.#takeFlight(envelope);
    else if (envelope.kind === TELEGRAM) this.#takeTelegram(envelope);
    else if (envelope.kind === REJECTION) this.#takeRejection(envelope);
  }

  #takeFlight(envelope) {
    const flight = decodeFlight(envelope);
    if (flight === null || this.#handshake === null) this.counts.dropped += 1;
    else this.#handshake.take(envelope.counter, flight);
  }

  #takeRejection({ generation, body }) {
    if (body.length > 0 || generation !== this.#present?.number) return;
    this.counts.rejections += 1;
    if (this.#handshake !== null) return;
    this.#isReopening = true;
    this.#startHandshake();
  }

  #takeTelegram(envelope) {
    const generation = [this.#present, this.#previous].find(
      (known) => known?.number === envelope.generation,
    );
    const plaintext = generation?.open(envelope) ?? null;
    if (plaintext === null) {
      this.counts.dropped += 1;
      return;
    }
    this.counts.opened += 1;
    if (generation === this.#present) this.#handshake?.proved();
    let fields;
    try {
      fields = decodeTelegram(plaintext);
    } catch {
      this.counts.malformed += 1;
      return;
    }
    this.#takeFields(fields, [envelope.generation, envelope.counter, sha256(plaintext)]);
  }

  #takeFields(fields, reference) {
    if (fields.telegram === 'notice') {
      this.emit('notice', fields.notice);
    } else if (fields.telegram === 'line-test') {
      const reply = { telegram: 'line-tested', in_reply_to: reference, nonce: fields.nonce };
      this.sendCopy(encodeTelegram(reply), reply.telegram);
    } else if (fields.in_reply_to === undefined) {
      this.counts.malformed += 1; // a request that only a terminal makes
    } else {
      const asked = [...this.#outstanding].find((request) => request.fits(fields));
      const isCountedLater = this.#isReopening && COUNTED.includes(asked?.kind); // TP-103
      if (asked && !isCountedLater) asked.resolve(fields);
      else this.counts.late += 1;
    }
  }

  #startHandshake() {
    if (this.#handshake !== null) return;
    this.counts.handshakes += 1;
    this.#handshake = new Handshake(this.#line, {
      send: (message) => this.#carrier.send(message),
      onKeys: (generation) => this.#adopt(generation),
      onEnd: () => { this.#handshake = null; },
      onFailure: (why) => this.#handshakeFailed(why),
    }, this.#offer);
    this.#handshake.start();
  }

  #handshakeFailed(why) {
    this.#handshake = null;
    this.emit('handshakeFailed', why);
    const pause = setTimeout(() => this.#startHandshake(), randomInt(500, 1500));
    pause.unref();
  }

  #adopt(generation) {
    this.#previous = this.#present;
    this.#present = generation;
    clearTimeout(this.#overlap);
    this.#overlap = setTimeout(() => { this.#previous = null; }, GENERATION_OVERLAP_MS);
    clearTimeout(this.#age);
    this.#age = setTimeout(() => this.#startHandshake(), GENERATION_AGE_MS_MAX);
    this.emit('keys');
    if (this.#isReopening) this.emit('reopen');
    else this.#sendUnanswered();
  }

  #sendUnanswered() {
    for (const request of this.#outstanding) request.sendAfresh();
  }
}

/** One request on its way, with the copies that a reply may name (TP-044). */
class Request {
  #line;
  #plaintext;
  #copies = [];
  #waitMs = REQUEST_REPEAT_MS;
  #timer;
  #giveUpTimer;

  constructor(line, { kind, plaintext, digest, waitMs }) {
    this.#line = line;
    this.kind = kind;
    this.#plaintext = plaintext;
    this.digest = digest;
    this.answered = new Promise((resolve, reject) => {
      this.resolve = (reply) => {
        this.#end();
        resolve(reply);
      };
      this.giveUp = () => {
        this.#end();
        reject(new NoReply(kind));
      };
    });
    if (waitMs !== undefined) this.#giveUpTimer = setTimeout(this.giveUp, waitMs);
  }

  send() {
    const copy = this.#line.sendCopy(this.#plaintext, this.kind);
    if (copy !== null) {
      if (this.#copies.length > 0) this.#line.counts.repeats += 1;
      this.#copies = [...this.#copies, copy].slice(-COPIES_REMEMBERED_MAX);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.send(), this.#waitMs);
    this.#waitMs = Math.min(2 * this.#waitMs, REQUEST_REPEAT_MS_MAX);
  }

  /** Send again at once, under new keys. */
  sendAfresh() {
    this.#waitMs = REQUEST_REPEAT_MS;
    this.send();
  }

  fits({ telegram, in_reply_to: [generation, counter, digest] }) {
    return REPLIES[this.kind].includes(telegram) && digest.equals(this.digest)
      && this.#copies.some((copy) => copy.generation === generation && copy.counter === counter);
  }

  #end() {
    clearTimeout(this.#timer);
    clearTimeout(this.#giveUpTimer);
  }
}
