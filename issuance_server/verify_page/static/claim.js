// Verifies the signed claim in a link, in the browser alone: COSE_Sign1 (RFC 9052) with Ed25519.

import { CborUnreadable, decode, toBeSigned } from "./cbor.js";

const COSE_BYTES_MAX = 512;
const FRAGMENT_CHARACTERS_MAX = 900;
const SIGNATURE_BYTES = 64;
const SALT_BYTES = 16;
const DIGEST_BYTES = 32;
const NUMBER_CHARACTERS_MAX = 64;
const SHEETS_MAX = 99;
const ALGORITHM = 1, KEY_ID = 4, EDDSA = -8;
const ISSUER = 1, ISSUED_AT = 6, SHEET = -65537;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const DAY_MS_MAX = 8.64e15;

/** Why a link is not good: "codeUnreadable", "codeForeignKey", "codeForged" or "browserTooOld". */
export class NotGood extends Error {
  constructor(word) {
    super(word);
    this.word = word;
  }
}

/** Return the claim of a fragment if one of the city's keys signed it; else throw NotGood. */
export async function verified(fragment, keys, kinds) {
  try {
    const [protectedHeader, payload, signature] = parts(base32(fragment));
    const key = keys[hex(signer(protectedHeader))];
    if (key === undefined) throw new NotGood("codeForeignKey");
    if (!(await holds(key, signature, toBeSigned(protectedHeader, payload)))) {
      throw new NotGood("codeForged");
    }
    return claim(decode(payload), kinds);
  } catch (error) {
    if (error instanceof CborUnreadable) throw new NotGood("codeUnreadable");
    throw error;
  }
}

async function holds(keyBase64, signature, content) {
  const bytes = Uint8Array.from(atob(keyBase64), (character) => character.charCodeAt(0));
  let key;
  try {
    key = await crypto.subtle.importKey("raw", bytes, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    throw new NotGood("browserTooOld"); // also where there is no secure context
  }
  return crypto.subtle.verify({ name: "Ed25519" }, key, signature, content);
}

function parts(cose) {
  const value = decode(cose);
  if (!Array.isArray(value) || value.length !== 4) throw new NotGood("codeUnreadable");
  const [protectedHeader, unprotected, payload, signature] = value;
  const fits = isBytes(protectedHeader) && unprotected instanceof Map && unprotected.size === 0
    && isBytes(payload) && isBytes(signature) && signature.length === SIGNATURE_BYTES;
  if (!fits) throw new NotGood("codeUnreadable");
  return [protectedHeader, payload, signature];
}

function signer(protectedHeader) {
  const header = decode(protectedHeader);
  const fits = header instanceof Map && header.size === 2 && header.get(ALGORITHM) === EDDSA
    && isBytes(header.get(KEY_ID));
  if (!fits) throw new NotGood("codeUnreadable");
  return header.get(KEY_ID);
}

function claim(claims, kinds) {
  const fits = claims instanceof Map && claims.size === 3 && Array.isArray(claims.get(SHEET))
    && claims.get(SHEET).length === 7;
  if (!fits) throw new NotGood("codeUnreadable");
  const issuer = claims.get(ISSUER), seconds = claims.get(ISSUED_AT);
  const [number, sheet, sheets, kind, specimen, salt, digest] = claims.get(SHEET);
  const inRange = typeof issuer === "string" && issuer.startsWith("jp.")
    && Number.isInteger(seconds) && Math.abs(seconds * 1000) <= DAY_MS_MAX
    && typeof number === "string" && [...number].length <= NUMBER_CHARACTERS_MAX
    && Number.isInteger(sheet) && Number.isInteger(sheets)
    && 1 <= sheet && sheet <= sheets && sheets <= SHEETS_MAX
    && Number.isInteger(kind) && kind >= 0 && kind < kinds.length && typeof specimen === "boolean"
    && isBytes(salt) && salt.length === SALT_BYTES
    && isBytes(digest) && digest.length === DIGEST_BYTES;
  if (!inRange) throw new NotGood("codeUnreadable");
  return {
    number, sheet, sheets, specimen,
    city: issuer.slice("jp.".length),
    kind: kinds[kind].name,
    issuedOn: new Date(seconds * 1000).toISOString().slice(0, 10),
  };
}

/** Decode Base32 (RFC 4648 section 6) without padding. */
function base32(text) {
  if (text === "" || text.length > FRAGMENT_CHARACTERS_MAX) throw new NotGood("codeUnreadable");
  const bytes = [];
  let bits = 0, held = 0;
  for (const character of text) {
    const five = BASE32.indexOf(character);
    if (five < 0) throw new NotGood("codeUnreadable");
    held = ((held << 5) | five) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  if (bytes.length > COSE_BYTES_MAX) throw new NotGood("codeUnreadable");
  return Uint8Array.from(bytes);
}

function isBytes(value) {
  return value instanceof Uint8Array;
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
