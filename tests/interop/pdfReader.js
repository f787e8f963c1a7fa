/** A reader of PDF files that are in order: no repair, no encryption, streams plain or deflated. */

import { inflateSync } from 'node:zlib';
import { DECODED_BYTES_MAX, PDF_BYTES_MAX } from './limits.js';
import { PdfLexer, PdfName, PdfReference, PdfStream, malformed, wholeNumber } from './pdfLexer.js';

const START_SEARCH_BYTES = 1024;

/** The objects of one file, read when they are asked for. */
export class PdfFile {
  #bytes;
  /** @type {Map<number, {offset: number} | {holder: number, index: number}>} */
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
  }

  /**
   * Follow a reference; anything else is itself.
   *
   * @param {unknown} value
   * @returns {any} null for a reference to an object that is not there
   */
  resolve(value) {
    let found = value;
    for (let steps = 0; found instanceof PdfReference; steps += 1) {
      if (steps > 1) throw malformed('references to references');
      found = this.#object(found);
    }
    return found ?? null;
  }

  /**
   * @param {PdfStream} stream
   * @returns {Buffer} its decoded bytes
   */
  decode(stream) {
    if (stream.decoded === undefined) {
      stream.decoded = this.#inflate(stream);
      this.#decodedBytes += stream.decoded.length;
      if (this.#decodedBytes > DECODED_BYTES_MAX) throw malformed('too much to decode');
    }
    return stream.decoded;
  }

  #inflate({ dictionary, raw }) {
    const listed = this.resolve(dictionary.get('Filter') ?? null);
    const filters = (Array.isArray(listed) ? listed : listed === null ? [] : [listed])
      .map((filter) => this.resolve(filter));
    const parameters = [this.resolve(dictionary.get('DecodeParms') ?? null)].flat();
    if (parameters.some((one) => this.resolve(one) !== null)) throw malformed('decode parameters');
    if (filters.length === 0) return raw;
    if (filters.length > 1 || filters[0]?.text !== 'FlateDecode') throw malformed('a filter');
    try {
      return inflateSync(raw, { maxOutputLength: DECODED_BYTES_MAX - this.#decodedBytes + 1 });
    } catch {
      throw malformed('a stream does not inflate');
    }
  }

  #object({ number, generation }) {
    if (!this.#objects.has(number)) {
      const place = this.#places.get(number);
      if (place === undefined) return null;
      this.#objects.set(number, 'offset' in place
        ? this.#objectAt(place.offset, number, generation) : this.#objectIn(place, number));
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
    if (!(value instanceof Map) || !lexer.atKeyword('stream')) {
      lexer.keyword('endobj');
      return value;
    }
    const length = this.resolve(value.get('Length') ?? null);
    return new PdfStream(value, lexer.streamBytes(length));
  }

  #objectIn({ holder, index }, number) {
    const stream = this.#object(new PdfReference(holder, 0));
    if (!(stream instanceof PdfStream)) throw malformed('no object stream');
    const content = this.decode(stream);
    const lexer = new PdfLexer(content, 0);
    let offset = 0;
    for (let skipped = 0; skipped <= index; skipped += 1) {
      const listed = lexer.integer();
      offset = lexer.integer();
      if (skipped === index && listed !== number) throw malformed('an object stream is wrong');
    }
    const first = wholeNumber(stream.dictionary.get('First'));
    return new PdfLexer(content, first + offset).value();
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
      const section = lexer.atKeyword('xref') ? this.#table(lexer) : this.#stream(lexer);
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
        lexer.integer();
        const isUsed = lexer.atKeyword('n');
        if (!isUsed) lexer.keyword('f');
        if (!this.#places.has(number)) this.#places.set(number, isUsed ? { offset } : undefined);
      }
    }
    return lexer.value();
  }

  #stream(lexer) {
    lexer.integer();
    lexer.integer();
    lexer.keyword('obj');
    const dictionary = lexer.value();
    if (!(dictionary instanceof Map) || !lexer.atKeyword('stream')) throw malformed('no cross-reference');
    const stream = new PdfStream(dictionary, lexer.streamBytes(dictionary.get('Length')));
    const content = this.decode(stream);
    const widths = dictionary.get('W').map(wholeNumber);
    const index = dictionary.has('Index')
      ? dictionary.get('Index').map(wholeNumber) : [0, wholeNumber(dictionary.get('Size'))];
    let at = 0;
    const take = (width, missing) => {
      if (width === 0) return missing;
      at += width;
      return content.readUIntBE(at - width, width);
    };
    for (let pair = 0; pair < index.length; pair += 2) {
      for (let number = index[pair]; number < index[pair] + index[pair + 1]; number += 1) {
        const kind = take(widths[0], 1);
        const second = take(widths[1], 0);
        const third = take(widths[2], 0);
        if (this.#places.has(number)) continue;
        const places = [undefined, { offset: second }, { holder: second, index: third }];
        this.#places.set(number, places[kind]);
      }
    }
    return dictionary;
  }
}

export { PdfName, PdfReference, PdfStream, malformed };
