/** One handshake: stop-and-wait flights around TLS (TP-020 to TP-022). */

import { randomBytes } from 'node:crypto';
import { KEY_EXCHANGE, UP, encodeHeader } from './envelope.js';
import { Generation, exporterContext } from './keySchedule.js';
import { FLIGHT_REPEAT_MS, HANDSHAKE_ID_BYTES, HANDSHAKE_MS_MAX } from './limits.js';
import { TlsClient } from './tlsClient.js';

/**
 * @typedef {object} HandshakeWays
 * @property {(message: Buffer) => void} send
 * @property {(generation: Generation) => void} onKeys flight 2 is on its way
 * @property {() => void} onEnd flight 2 arrived
 * @property {(why: string) => void} onFailure TLS refused or the time is over
 */

export class Handshake {
  #line;
  #ways;
  #tls;
  #id = randomBytes(HANDSHAKE_ID_BYTES);
  /** Number of the flight that is repeated. */
  #flight = 0;
  #message;
  #repeat;
  #deadline;
  #isStepping = false;
  #isOver = false;

  /**
   * @param {import('./tlsClient.js').Identity & {terminal: string, lineId: Buffer}} line
   * @param {HandshakeWays} ways
   * @param {object} [offer] what TLS offers, if not what is pinned
   */
  constructor(line, ways, offer) {
    this.#line = line;
    this.#ways = ways;
    this.#tls = new TlsClient(line, offer);
  }

  get generation() {
    return this.#id.readUInt32BE(0);
  }

  async start() {
    this.#deadline = setTimeout(() => this.#fail('the handshake took too long'), HANDSHAKE_MS_MAX);
    const tlsBytes = await this.#tls.start();
    if (this.#isOver) return;
    this.#repeat = setInterval(() => this.#ways.send(this.#message), FLIGHT_REPEAT_MS);
    this.#send(0, tlsBytes);
  }

  /**
   * Take a flight of the server.
   *
   * @param {number} number
   * @param {{handshakeId: Buffer, tlsBytes: Buffer}} flight
   */
  async take(number, { handshakeId, tlsBytes }) {
    if (this.#isOver || !handshakeId.equals(this.#id)) return;
    if (number === 1 && this.#flight === 0 && !this.#isStepping) await this.#answer(tlsBytes);
    else if (number === 1 && this.#flight === 2) this.#ways.send(this.#message);
    else if (number === 3 && this.#flight === 2) this.proved();
  }

  /** Flight 2 has arrived: flight 3 came, or a telegram opened under the new keys. */
  proved() {
    if (this.#isOver || this.#flight !== 2) return;
    this.stop();
    this.#ways.onEnd();
  }

  stop() {
    this.#isOver = true;
    clearInterval(this.#repeat);
    clearTimeout(this.#deadline);
    this.#tls.end();
  }

  async #answer(flight) {
    this.#isStepping = true; // a copy of flight 1 is not handed to TLS again
    try {
      const tlsBytes = await this.#tls.step(flight);
      if (this.#isOver) return;
      const exported = this.#tls.exportKeys(exporterContext(this.#line, this.generation));
      const generation = new Generation(this.#line, this.generation, exported);
      exported.fill(0);
      this.#send(2, tlsBytes);
      this.#ways.onKeys(generation);
    } catch (error) {
      this.#fail(`TLS refused: ${error.message}`);
    }
  }

  #send(flight, tlsBytes) {
    this.#flight = flight;
    const { generation } = this;
    const header = encodeHeader({
      kind: KEY_EXCHANGE, direction: UP, generation, lineId: this.#line.lineId, counter: flight,
    });
    this.#message = Buffer.concat([header, this.#id, tlsBytes]);
    this.#ways.send(this.#message);
  }

  #fail(why) {
    if (this.#isOver) return;
    this.stop();
    this.#ways.onFailure(why);
  }
}
