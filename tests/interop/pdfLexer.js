/** The syntax of PDF values (ISO 32000, 7.2 and 7.3). */

import { isUtf8 } from 'node:buffer';

/** @param {string} what @returns {Error} */
export function malformed(what) {
  return new Error(`malformed PDF: ${what}`);
}

/** A number as it stands in the file, so that no digit of it is lost. */
export class PdfNumber {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/** @param {any} value @returns {number} its value, of a number without sign and fraction */
export function wholeNumber(value) {
  if (!(value instanceof PdfNumber) || !/^\d+$/.test(value.text)) throw malformed('a number');
  return Number(value.text);
}

/** A name without its slash, with #xx undone; each character is a byte. */
export class PdfName {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

export class PdfReference {
  constructor(number, generation) {
    this.number = number;
    this.generation = generation;
  }
}

export class PdfStream {
  constructor(dictionary, raw) {
    this.dictionary = dictionary;
    this.raw = raw;
  }
}

const SPACE = '\0\t\n\f\r ';
const DELIMITERS = '()<>[]{}/%';
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)$/;
const INTEGER = /^[+-]?\d+$/;
const ESCAPES = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** Reads values one after the other. Strings are Buffers, dictionaries Maps, null is null. */
export class PdfLexer {
  #text;
  #at;

  /** @param {Buffer} bytes @param {number} offset */
  constructor(bytes, offset) {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > bytes.length) {
      throw malformed('an offset');
    }
    this.bytes = bytes;
    this.#text = bytes.latin1 ??= bytes.toString('latin1');
    this.#at = offset;
  }

  #skip() {
    for (;;) {
      const here = this.#text[this.#at];
      if (here === '%') {
        while (this.#at < this.#text.length && !'\r\n'.includes(this.#text[this.#at])) this.#at += 1;
      } else if (here !== undefined && SPACE.includes(here)) {
        this.#at += 1;
      } else {
        return;
      }
    }
  }

  /** Read a word up to the next space or delimiter. */
  #word() {
    const start = this.#at;
    while (this.#at < this.#text.length) {
      const here = this.#text[this.#at];
      if (SPACE.includes(here) || DELIMITERS.includes(here)) break;
      this.#at += 1;
    }
    return this.#text.slice(start, this.#at);
  }

  /** @returns {number} */
  integer() {
    this.#skip();
    const word = this.#word();
    if (!/^\d+$/.test(word)) throw malformed('no integer where one must be');
    return Number(word);
  }

  /** @param {string} expected @returns {boolean} whether it was there, and was read */
  atKeyword(expected) {
    this.#skip();
    const start = this.#at;
    if (this.#word() === expected) return true;
    this.#at = start;
    return false;
  }

  /** @param {string} expected */
  keyword(expected) {
    if (!this.atKeyword(expected)) throw malformed(`no ${expected}`);
  }

  /**
   * Read what stands between `stream` and `endstream`.
   *
   * @param {any} length a PdfNumber
   * @returns {Buffer}
   */
  streamBytes(length) {
    const bytes = wholeNumber(length);
    if (this.#text[this.#at] === '\r') this.#at += 1;
    if (this.#text[this.#at] !== '\n') throw malformed('no line end behind stream');
    const start = this.#at + 1;
    this.#at = start + bytes;
    this.keyword('endstream');
    return this.bytes.subarray(start, start + bytes);
  }

  /** @returns {any} */
  value() {
    this.#skip();
    const here = this.#text[this.#at];
    if (here === '/') return this.#name();
    if (here === '(') return this.#literal();
    if (here === '[') return this.#array();
    if (here === '<') {
      return this.#text[this.#at + 1] === '<' ? this.#dictionary() : this.#hexadecimal();
    }
    const word = this.#word();
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (word === 'null') return null;
    if (!NUMBER.test(word)) throw malformed('no value where one must be');
    if (INTEGER.test(word) && BigInt.asIntN(64, BigInt(word)) !== BigInt(word)) {
      throw malformed('a number of more than 64 bits');
    }
    return this.#reference(word) ?? new PdfNumber(word);
  }

  #reference(word) {
    if (!/^\d+$/.test(word)) return null;
    const start = this.#at;
    this.#skip();
    const generation = this.#word();
    if (/^\d+$/.test(generation) && this.atKeyword('R')) {
      return new PdfReference(Number(word), Number(generation));
    }
    this.#at = start;
    return null;
  }

  #name() {
    this.#at += 1;
    const word = this.#word();
    if (/#(?![0-9A-Fa-f]{2})|#00/.test(word)) throw malformed('a name');
    const undone = word.replace(/#(..)/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
    if (!isUtf8(Buffer.from(undone, 'latin1'))) throw malformed('a name');
    return new PdfName(undone);
  }

  #array() {
    this.#at += 1;
    const values = [];
    for (;;) {
      this.#skip();
      if (this.#text[this.#at] === ']') break;
      values.push(this.value());
    }
    this.#at += 1;
    return values;
  }

  #dictionary() {
    this.#at += 2;
    const entries = new Map();
    for (;;) {
      this.#skip();
      if (this.#text.startsWith('>>', this.#at)) break;
      const key = this.value();
      if (!(key instanceof PdfName)) throw malformed('a dictionary without names');
      if (entries.has(key.text)) throw malformed('a name stands twice in a dictionary');
      entries.set(key.text, this.value());
    }
    this.#at += 2;
    return entries;
  }

  #hexadecimal() {
    const end = this.#text.indexOf('>', this.#at);
    const digits = this.#text.slice(this.#at + 1, end).replace(/[\0\t\n\f\r ]/g, '');
    if (end < 0 || !/^[0-9A-Fa-f]*$/.test(digits)) throw malformed('a hexadecimal string');
    this.#at = end + 1;
    return Buffer.from(digits.length % 2 ? `${digits}0` : digits, 'hex');
  }

  #literal() {
    let depth = 0;
    let read = '';
    for (;;) {
      const here = this.#text[this.#at];
      if (here === undefined) throw malformed('a string without an end');
      this.#at += 1;
      if (here === '\\') {
        read += this.#escape();
      } else if (here === '\r') {
        if (this.#text[this.#at] === '\n') this.#at += 1;
        read += '\n';
      } else {
        if (here === '(') depth += 1;
        if (here === ')') depth -= 1;
        if (depth === 0) return Buffer.from(read.slice(1), 'latin1');
        read += here;
      }
    }
  }

  #escape() {
    const octal = /^[0-7]{1,3}/.exec(this.#text.slice(this.#at, this.#at + 3));
    if (octal) {
      this.#at += octal[0].length;
      return String.fromCharCode(parseInt(octal[0], 8) & 0xff);
    }
    const here = this.#text[this.#at];
    this.#at += 1;
    if (here === '\r' && this.#text[this.#at] === '\n') this.#at += 1;
    if (here === '\r' || here === '\n') return '';
    return ESCAPES[here] ?? here ?? '';
  }
}
