/** The terminal's half of the TLS handshake, in memory (TP-023, TP-024, TP-026). */

import { X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { EXPORTED_BYTES, EXPORTER_LABEL } from './keySchedule.js';

/** What TP-026 pins. A test gives something else to see it refused. */
export const PINNED = Object.freeze({
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ecdhCurve: 'X25519MLKEM768',
  ciphers: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  sigalgs: 'ed25519',
});
const SUITES = PINNED.ciphers.split(':');

/** Bytes in, bytes out: what TLS takes for a socket. */
class Pipe extends Duplex {
  /** @type {Buffer[]} */
  written = [];

  _read() {}

  _write(chunk, _encoding, done) {
    this.written.push(chunk);
    done();
  }

  take() {
    return Buffer.concat(this.written.splice(0));
  }
}

/**
 * @typedef {object} Identity
 * @property {string} city the only one whose certificate is taken
 * @property {string} keyCertificate PEM
 * @property {string} privateKey PEM
 * @property {string} lineAuthority PEM
 */

/** One handshake. Flights 0 and 2 come out; flight 1 goes in, once. */
export class TlsClient {
  #pipe = new Pipe();
  #socket;
  #finished;

  /**
   * @param {Identity} identity
   * @param {typeof PINNED} [offer]
   */
  constructor({ city, keyCertificate, privateKey, lineAuthority }, offer = PINNED) {
    this.#socket = tls.connect({
      socket: this.#pipe,
      ...offer,
      ca: lineAuthority,
      cert: keyCertificate,
      key: privateKey,
      checkServerIdentity: (_host, shown) => certifiesOther(shown.raw, city),
    });
    this.#finished = new Promise((resolve, reject) => {
      this.#socket.once('secureConnect', resolve);
      this.#socket.once('error', reject);
      this.#socket.once('close', () => reject(new Error('TLS ended')));
    });
    this.#finished.catch(() => {}); // whoever steps is told
  }

  /** @returns {Promise<Buffer>} flight 0 */
  async start() {
    await settled();
    return this.#pipe.take();
  }

  /**
   * @param {Buffer} flight the TLS bytes of flight 1
   * @returns {Promise<Buffer>} flight 2; rejects if TLS refuses
   */
  async step(flight) {
    this.#pipe.push(flight);
    await this.#finished;
    await settled(); // OpenSSL writes its Finished behind the event
    if (this.#socket.getProtocol() !== 'TLSv1.3' || !SUITES.includes(this.#socket.getCipher().standardName)) {
      throw new Error('TLS negotiated what is not pinned');
    }
    return this.#pipe.take();
  }

  /**
   * @param {Buffer} context
   * @returns {Buffer} 64 bytes
   */
  exportKeys(context) {
    return this.#socket.exportKeyingMaterial(EXPORTED_BYTES, EXPORTER_LABEL, context);
  }

  /** Let TLS go; what it would still send is dropped. */
  end() {
    this.#socket.destroy();
    this.#pipe.destroy();
  }
}

const settled = () => new Promise((resolve) => { setImmediate(resolve); });

/**
 * @param {Buffer} raw the server's certificate, DER
 * @param {string} city
 * @returns {Error | undefined} an error if it certifies anything but this city's server
 */
function certifiesOther(raw, city) {
  const certificate = new X509Certificate(raw);
  const isRight = certificate.subjectAltName === `URI:kofu:city:${city}`
    && certificate.publicKey.asymmetricKeyType === 'ed25519';
  return isRight ? undefined : new Error('the certificate is not that of this city');
}
