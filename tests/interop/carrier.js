/** Envelopes over MQTT (TP-001, TP-003), and a carrier that treats them badly. */

import mqtt from 'mqtt';
import { DOWN, UP, topic } from './envelope.js';

const RECONNECT_MS = 300;

/** Publishes upwards and listens downwards on the topics of one line. */
export class Carrier {
  #client;
  #up;

  constructor(client, up) {
    this.#client = client;
    this.#up = up;
  }

  /**
   * Connect and subscribe.
   *
   * @param {{host: string, port: number}} broker
   * @param {{city: string, lineId: Buffer}} line
   * @returns {Promise<Carrier>}
   */
  static async connect({ host, port }, { city, lineId }) {
    const client = await mqtt.connectAsync(`mqtt://${host}:${port}`, {
      clean: true, protocolVersion: 4, reconnectPeriod: RECONNECT_MS,
    });
    client.on('error', () => {}); // it connects again, and requests are repeated
    await client.subscribeAsync(topic(city, lineId, DOWN), { qos: 1 });
    return new Carrier(client, topic(city, lineId, UP));
  }

  /** @param {Buffer} message */
  send(message) {
    this.#client.publish(this.#up, message, { qos: 1, retain: false }, () => {});
  }

  /** @param {(message: Buffer) => void} take */
  onMessage(take) {
    this.#client.on('message', (_topic, message) => take(Buffer.from(message)));
  }

  async end() {
    await this.#client.endAsync();
  }
}

/** Drops, doubles and delays messages: for a seed, the same ones of each direction by number. */
export class BadCarrier {
  #inner;
  #rollsUp;
  #rollsDown;
  #plan;
  counts = { dropped: 0, doubled: 0, delayed: 0 };

  /**
   * @param {Carrier} inner
   * @param {{seed: number, drop: number, double: number, delay: number, delayMs: number}} plan
   *     drop, double and delay are shares of all messages, 0 to 1
   */
  constructor(inner, plan) {
    this.#inner = inner;
    this.#plan = plan;
    this.#rollsUp = mulberry32(2 * plan.seed);
    this.#rollsDown = mulberry32(2 * plan.seed + 1);
  }

  send(message) {
    this.#mistreat(this.#rollsUp, () => this.#inner.send(message));
  }

  onMessage(take) {
    this.#inner.onMessage((message) => this.#mistreat(this.#rollsDown, () => take(message)));
  }

  async end() {
    await this.#inner.end();
  }

  #mistreat(roll, pass) {
    const [dropRoll, doubleRoll, delayRoll] = [roll(), roll(), roll()];
    if (dropRoll < this.#plan.drop) {
      this.counts.dropped += 1;
      return;
    }
    if (delayRoll < this.#plan.delay) {
      this.counts.delayed += 1;
      setTimeout(pass, this.#plan.delayMs);
    } else {
      pass();
    }
    if (doubleRoll < this.#plan.double) {
      this.counts.doubled += 1;
      pass();
    }
  }
}

/** A small generator of numbers from 0 to below 1, from a seed of 32 bits. */
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
