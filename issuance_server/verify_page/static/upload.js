// The sides that were chosen or photographed, and how they go to the server.

import { byId, element } from "./elements.js";
import { onLanguage, word } from "./language.js";

const LENGTH_BYTES = 4;
const MEGABYTE = 1024 * 1024;

let sides = [];
let photographs = 0;

/** Why nothing was sent or answered; its sentence is for people. */
export class Refused extends Error {}

/** Add files or photographs, in this order. */
export function add(blobs) {
  for (const blob of blobs) {
    const isPicture = /^image\/(png|jpeg)$/.test(blob.type);
    const photo = blob.name === undefined ? ++photographs : 0;
    sides.push({ blob, photo, url: isPicture ? URL.createObjectURL(blob) : null });
  }
  show();
  byId("live").textContent = word("added", sides.length);
}

/** Forget all sides. */
export function clear() {
  sides.forEach(release);
  sides = [];
  photographs = 0;
  show();
}

/** Send the sides, and return what the server says of them; throws Refused. */
export async function send({ uploadBytesMax, filesMax }) {
  if (sides.length === 0) throw new Refused(word("nothingChosen"));
  if (sides.length > filesMax) throw new Refused(word("tooMany", filesMax));
  const body = new Blob(sides.flatMap(({ blob }) => [length(blob.size), blob]));
  if (body.size > uploadBytesMax) throw new Refused(word("tooLarge", uploadBytesMax / MEGABYTE));
  return answered(() => fetch("./verify", { method: "POST", body, cache: "no-store", headers: { "Content-Type": "application/octet-stream" } }));
}

/** Return the JSON of an answer; throws Refused with the server's sentence, or ours. */
export async function answered(ask) {
  let answer, content;
  try {
    answer = await ask();
    content = await answer.json();
  } catch {
    throw new Refused(word("unreachable"));
  }
  if (!answer.ok) throw new Refused(content.refusal[document.documentElement.lang]);
  return content;
}

/** Let files be chosen and dropped. */
export function prepare() {
  const chooser = byId("files"), drop = byId("drop");
  chooser.addEventListener("change", () => {
    add(chooser.files);
    chooser.value = "";
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault(); // a file that misses its place would be opened instead
      drop.classList.toggle("over", kind === "dragover");
    });
  }
  document.addEventListener("drop", (event) => add(event.dataTransfer.files));
  onLanguage(show);
}

function show() {
  const list = byId("sides");
  list.hidden = sides.length === 0;
  list.setAttribute("aria-label", word("chosen"));
  list.replaceChildren(...sides.map(row));
  byId("fault").hidden = true;
}

function row(side) {
  const name = side.photo > 0 ? word("photo", side.photo) : side.blob.name;
  const face = side.url === null
    ? element("span", { class: "face", "aria-hidden": "true" }, name.split(".").pop().slice(0, 4).toUpperCase())
    : element("img", { class: "face", src: side.url, alt: "" });
  const remove = element("button", { type: "button", "aria-label": word("removeNamed", name), onclick: () => {
    release(side);
    sides = sides.filter((one) => one !== side);
    show();
    byId("files").focus();
  } }, word("remove"));
  return element("li", {}, face, element("span", { class: "label" }, name), remove);
}

function release(side) {
  if (side.url !== null) URL.revokeObjectURL(side.url);
}

function length(size) {
  const bytes = new DataView(new ArrayBuffer(LENGTH_BYTES));
  bytes.setUint32(0, size);
  return bytes.buffer;
}
