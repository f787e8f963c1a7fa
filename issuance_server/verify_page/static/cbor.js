// Reads as much CBOR (RFC 8949) as a signed claim needs: integers, strings, arrays, maps, booleans.
// Definite lengths only, at most so deep and so long; anything else is refused.

const DEPTH_MAX = 4;
const ITEMS_MAX = 16;

export class CborUnreadable extends Error {}

/** Return the one value that the bytes hold. */
export function decode(bytes) {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) throw new CborUnreadable("bytes follow");
  return value;
}

/** Return the Sig_structure of RFC 9052 section 4.4, without external data. */
export function toBeSigned(protectedHeader, payload) {
  const context = new TextEncoder().encode("Signature1");
  return joined([
    Uint8Array.of(0x80 | 4),
    head(3, context.length), context,
    head(2, protectedHeader.length), protectedHeader,
    head(2, 0),
    head(2, payload.length), payload,
  ]);
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  value(depth) {
    if (depth > DEPTH_MAX) throw new CborUnreadable("too deep");
    const initial = this.take(1)[0];
    const major = initial >> 5;
    if (major === 7) return simple(initial & 31);
    const argument = this.argument(initial & 31);
    switch (major) {
      case 0: return argument;
      case 1: return -1 - argument;
      case 2: return this.take(argument);
      case 3: return text(this.take(argument));
      case 4: return this.times(argument, () => this.value(depth + 1));
      case 5: return this.map(argument, depth);
      default: throw new CborUnreadable("a tag");
    }
  }

  map(count, depth) {
    const entries = this.times(count, () => [this.value(depth + 1), this.value(depth + 1)]);
    const map = new Map(entries);
    if (map.size !== count) throw new CborUnreadable("a key twice");
    return map;
  }

  argument(information) {
    if (information < 24) return information;
    const size = { 24: 1, 25: 2, 26: 4, 27: 8 }[information];
    if (size === undefined) throw new CborUnreadable("no definite length");
    const number = this.take(size).reduce((sum, byte) => sum * 256 + byte, 0);
    if (!Number.isSafeInteger(number)) throw new CborUnreadable("a large number");
    return number;
  }

  times(count, read) {
    if (count > ITEMS_MAX) throw new CborUnreadable("too many items");
    return Array.from({ length: count }, read);
  }

  take(count) {
    const end = this.at + count;
    if (end > this.bytes.length) throw new CborUnreadable("too short");
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}

function simple(information) {
  if (information === 20) return false;
  if (information === 21) return true;
  throw new CborUnreadable("another simple value");
}

function text(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new CborUnreadable("no UTF-8");
  }
}

function head(major, length) {
  if (length < 24) return Uint8Array.of((major << 5) | length);
  if (length < 256) return Uint8Array.of((major << 5) | 24, length);
  return Uint8Array.of((major << 5) | 25, length >> 8, length & 255);
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
