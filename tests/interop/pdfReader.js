/** A reader of PDF files that are in order: no repair, no encryption, streams plain or deflated. */

import { inflateSync } from 'node:zlib';
import { DECODED_BYTES_MAX, PDF_BYTES_MAX } from './limits.js';
import { PdfLexer, PdfName, PdfReference, PdfStream, malformed, wholeNumber } from './pdfLexer.js';

const START_SEARCH_BYTES = 1024;

/** The objects of one file, read when they are asked for. */
export class PdfFile {
  #bytes;
  /** @type {Map<number, {offset: number, generation: number} | undefined>} undefined if free */
  #places = new Map();
  #objects = new Map();
  #decodedBytes = 0;

  /** @param {Buffer} bytes */
  constructor(bytes) {
    if (bytes.length > PDF_BYTES_MAX) throw malformed('the file is too long');
    if (bytes.toString('latin1', 0, 5) !== '%PDF-') throw malformed('no PDF header');
    this.#bytes = bytes;
    this.trailer = this.#readPlaces();
    if (this.trailer.has('Encrypt')) throw malformed('the file is encrypted');
    for (const [number, place] of this.#places) {
      if (place !== undefined) this.#object(new PdfReference(number, place.generation));
    }
  }

  /**
   * Follow a reference; anything else is itself.
   *
   * @param {unknown} value
   * @returns {any} null for a reference to an object that is not there
   */
  resolve(value) {
    return (value instanceof PdfReference ? this.#object(value) : value) ?? null;
  }

  /**
   * @param {PdfStream} stream
   * @returns {Buffer} its decoded bytes, which count at every call
   */
  decode(stream) {
    const decoded = this.#inflate(stream);
    this.#decodedBytes += decoded.length;
    if (this.#decodedBytes > DECODED_BYTES_MAX) throw malformed('too much to decode');
    return decoded;
  }

  #inflate({ dictionary, raw }) {
    const listed = this.resolve(dictionary.get('Filter') ?? null);
    const filters = (Array.isArray(listed) ? listed : listed === null ? [] : [listed])
      .map((filter) => this.resolve(filter));
    if (this.resolve(dictionary.get('DecodeParms') ?? null) !== null) {
      throw malformed('decode parameters');
    }
    if (filters.length === 0) return raw;
    if (filters.length > 1 || filters[0]?.text !== 'FlateDecode') throw malformed('a filter');
    const maxOutputLength = DECODED_BYTES_MAX - this.#decodedBytes + 1;
    try {
      const { buffer, engine } = inflateSync(raw, { maxOutputLength, info: true });
      if (engine.bytesWritten === raw.length) return buffer;
    } catch {
      // what zlib says adds nothing
    }
    throw malformed('a stream does not inflate to its end');
  }

  #object({ number, generation }) {
    const place = this.#places.get(number);
    if (place === undefined || place.generation !== generation) return null;
    if (!this.#objects.has(number)) {
      this.#objects.set(number, this.#objectAt(place.offset, number, generation));
    }
    return this.#objects.get(number);
  }

  #objectAt(offset, number, generation) {
    const lexer = new PdfLexer(this.#bytes, offset);
    if (lexer.integer() !== number || lexer.integer() !== generation) {
      throw malformed('an object is not where it should be');
    }
    lexer.keyword('obj');
    const value = lexer.value();
    if (value instanceof PdfReference) throw malformed('an object that is a reference');
    if (!(value instanceof Map) || !lexer.atKeyword('stream')) {
      lexer.keyword('endobj');
      return value;
    }
    const length = this.resolve(value.get('Length') ?? null);
    return new PdfStream(value, lexer.streamBytes(length));
  }

  /** Read all sections of the cross-reference, newest first. */
  #readPlaces() {
    const tail = this.#bytes.toString('latin1', Math.max(0, this.#bytes.length - START_SEARCH_BYTES));
    const start = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(tail);
    if (!start) throw malformed('no startxref');
    const seen = new Set();
    let offset = Number(start[1]);
    let trailer;
    while (offset !== undefined) {
      if (seen.has(offset)) throw malformed('a circle of cross-references');
      seen.add(offset);
      const lexer = new PdfLexer(this.#bytes, offset);
      lexer.keyword('xref'); // the city writes tables, and no object streams
      const section = this.#table(lexer);
      trailer ??= section;
      offset = section.has('Prev') ? wholeNumber(section.get('Prev')) : undefined;
    }
    return trailer;
  }

  #table(lexer) {
    while (!lexer.atKeyword('trailer')) {
      const first = lexer.integer();
      const count = lexer.integer();
      for (let number = first; number < first + count; number += 1) {
        const offset = lexer.integer();
        const generation = lexer.integer();
        const isUsed = lexer.atKeyword('n');
        if (!isUsed) lexer.keyword('f');
        if (this.#places.has(number)) continue; // a newer section said where it is
        this.#places.set(number, isUsed ? { offset, generation } : undefined);
      }
    }
    return lexer.value();
  }
}

export { PdfName, PdfReference, PdfStream, malformed };
