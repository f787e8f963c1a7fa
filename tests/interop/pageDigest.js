/** Page digests: the canonical form of what a page shows (TP-072). */

import { DEPTH_MAX, PAGES_MAX, VALUES_MAX } from './limits.js';
import { PdfNumber } from './pdfLexer.js';
import { PdfFile, PdfName, PdfReference, PdfStream, malformed } from './pdfReader.js';
import { sha256 } from './telegrams.js';

const LABEL = Buffer.from('kofu-page-1\n');
const INHERITED = ['MediaBox', 'CropBox', 'Rotate', 'Resources'];
const OF_STORAGE = ['Length', 'Filter', 'DecodeParms'];
const LINE_FEED = Buffer.from('\n');

/**
 * Compute the page digest of every page.
 *
 * @param {Buffer} pdf
 * @returns {Buffer[]}
 */
export function pageDigests(pdf) {
  return pageForms(pdf).map((form) => sha256(Buffer.concat([LABEL, form])));
}

/**
 * @param {Buffer} pdf
 * @returns {Buffer[]} the canonical form of every page
 */
export function pageForms(pdf) {
  const file = new PdfFile(pdf);
  const forms = new Forms(file);
  const root = file.resolve(file.trailer.get('Root') ?? null);
  if (!(root instanceof Map)) throw malformed('no catalogue');
  const pages = [];
  const way = { inherited: new Map(), pages, seen: new Set(), depth: 1, parent: null };
  collectPages(file, root.get('Pages'), way);
  if (pages.length === 0) throw malformed('no page');
  return pages.map((page) => forms.page(page));
}

function collectPages(file, reference, { inherited, pages, seen, depth, parent }) {
  if (depth > DEPTH_MAX) throw malformed('a page tree that is too deep');
  if (!(reference instanceof PdfReference) || seen.has(reference.number)) {
    throw malformed('a page tree');
  }
  seen.add(reference.number);
  const node = file.resolve(reference);
  if (!(node instanceof Map)) throw malformed('a page tree');
  if (parent !== null && node.get('Parent')?.number !== parent) throw malformed('a page tree');
  const merged = new Map(inherited);
  for (const name of INHERITED) {
    if (node.has(name) && file.resolve(node.get(name)) !== null) merged.set(name, node.get(name));
  }
  if (file.resolve(node.get('Type'))?.text === 'Page') {
    if (!merged.has('MediaBox') || !merged.has('Resources')) throw malformed('a page');
    pages.push(new Map([...node, ...merged]));
    if (pages.length > PAGES_MAX) throw malformed('too many pages');
    return;
  }
  const kids = file.resolve(node.get('Kids'));
  if (!Array.isArray(kids)) throw malformed('a page tree');
  const way = { inherited: merged, pages, seen, depth: depth + 1, parent: reference.number };
  for (const kid of kids) collectPages(file, kid, way);
}

/** Makes forms, and remembers those of indirect objects. */
class Forms {
  #file;
  #values = 0;
  /** @type {Map<number, Buffer>} */
  #known = new Map();
  #under = new Set();

  /** @param {PdfFile} file */
  constructor(file) {
    this.#file = file;
  }

  /** @param {Map<string, any>} page */
  page(page) {
    const listed = this.#file.resolve(page.get('Contents') ?? null);
    const parts = (Array.isArray(listed) ? listed : listed === null ? [] : [listed])
      .map((part) => this.#file.resolve(part));
    if (!parts.every((part) => part instanceof PdfStream)) throw malformed('/Contents');
    const decoded = parts.map((part) => this.#file.decode(part));
    const joined = Buffer.concat(decoded.flatMap((one, at) => (at ? [LINE_FEED, one] : [one])));
    const entries = new Map(page);
    entries.delete('Contents');
    const contents = streamForm(dictionaryForm([]), joined);
    return this.#dictionary(entries, 0, [['Contents', contents]]);
  }

  #form(value, depth) {
    if (!(value instanceof PdfReference)) return this.#direct(value, depth);
    const { number } = value;
    const known = this.#known.get(number);
    if (known !== undefined) return known;
    if (this.#under.has(number)) throw malformed('a circle of references');
    this.#under.add(number);
    const form = this.#direct(this.#file.resolve(value), depth);
    this.#under.delete(number);
    this.#known.set(number, form);
    return form;
  }

  #direct(value, depth) {
    this.#values += 1;
    if (this.#values > VALUES_MAX) throw malformed('too many values');
    if (depth > DEPTH_MAX) throw malformed('values too deep in one another');
    if (value === null) return Buffer.from('n');
    if (value === true) return Buffer.from('t');
    if (value === false) return Buffer.from('f');
    if (value instanceof PdfNumber) return Buffer.from(`#${shortest(value.text)};`);
    if (value instanceof PdfName) return nameForm(value.text);
    if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from(`(${value.length}:`), value]);
    if (Array.isArray(value)) {
      const forms = value.map((item) => this.#form(item, depth + 1));
      return Buffer.concat([Buffer.from(`[${value.length}:`), ...forms]);
    }
    if (value instanceof Map) return this.#dictionary(value, depth);
    return this.#stream(value, depth);
  }

  #stream(stream, depth) {
    const entries = new Map(stream.dictionary);
    OF_STORAGE.forEach((name) => entries.delete(name));
    return streamForm(this.#dictionary(entries, depth), this.#file.decode(stream));
  }

  /** An object that stands in several places has the depth of the first, in order of the names. */
  #dictionary(entries, depth, given = []) {
    const forms = [...given];
    for (const [name, value] of [...entries].toSorted(byName)) {
      if (name === 'Parent' || this.#file.resolve(value) === null) continue;
      forms.push([name, this.#form(value, depth + 1)]);
    }
    return dictionaryForm(forms);
  }
}

/** @param {string} text a PDF number @returns {string} without sign, zeros or point to spare */
function shortest(text) {
  const [, sign, whole, fraction] = /^([+-]?)(\d*)\.?(\d*)$/.exec(text);
  const short = whole.replace(/^0+(?=\d)/, '') || '0';
  const rest = fraction.replace(/0+$/, '');
  const number = rest ? `${short}.${rest}` : short;
  return sign === '-' && number !== '0' ? `-${number}` : number;
}

const byName = ([a], [b]) => (a < b ? -1 : 1); // characters are bytes

function nameForm(text) {
  return Buffer.from(`/${text.length}:${text}`, 'latin1');
}

function dictionaryForm(forms) {
  const sorted = forms.toSorted(byName);
  const parts = sorted.flatMap(([name, form]) => [nameForm(name), form]);
  return Buffer.concat([Buffer.from(`<${sorted.length}:`), ...parts]);
}

function streamForm(dictionary, decoded) {
  const digest = sha256(Buffer.concat([dictionary, Buffer.from(`${decoded.length}:`), decoded]));
  return Buffer.concat([Buffer.from('s'), digest]);
}
