// The page: uploads, the camera, and links from the codes on sheets.

import * as camera from "./camera.js";
import { NotGood, verified } from "./claim.js";
import { byId, element, icon } from "./elements.js";
import { current, onLanguage, setLanguage, word } from "./language.js";
import { caution, cityName, claimFacts, notice, openBanner, show, uploadResult, verdictBanner } from "./result.js";
import { Refused, add, answered, clear, prepare, send } from "./upload.js";
import { VERDICTS, VERDICT_OF_STATUS } from "./words.js";

let asked = null; // for the city's keys; once answered, not again
let redraw = null; // draws the result anew when the language changes
let busy = false;

onLanguage(() => {
  document.documentElement.lang = current();
  document.title = word("title");
  for (const place of document.querySelectorAll("[data-word]")) {
    place.textContent = word(place.dataset.word);
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === current()));
  }
  showMeanings();
  keys().then((city) => { byId("city").textContent = cityName(city); }, () => {});
  byId("fault").hidden = true;
  if (redraw !== null) redraw({ focus: false });
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => setLanguage(button.dataset.language));
}

prepare();
camera.prepare({ onPicture: (picture) => add([picture]), onFault: fault });
byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  verifyUpload();
});
window.addEventListener("hashchange", verifyLink);
verifyLink();

/** Return the city and its public keys; throws Refused. */
function keys() {
  asked ??= answered(() => fetch("./keys", { cache: "no-store" }));
  asked.catch(() => { asked = null; });
  return asked;
}

async function verifyUpload() {
  if (busy) return;
  busy = true;
  waiting("verifying");
  byId("fault").hidden = true;
  camera.close();
  try {
    const city = await keys();
    const answer = await send(city);
    clear();
    present((options) => show(uploadResult(answer, city, startAgain), options));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    fault(error.message);
  } finally {
    busy = false;
    waiting(null);
  }
}

/** Verify the claim in the address, here, without sending anything. */
async function verifyLink() {
  const fragment = location.hash.slice(1);
  if (fragment === "" || fragment === "main") return;
  try {
    const city = await keys();
    const claim = await verified(fragment, city.keys, city.kinds);
    presentClaim(claim, city, null);
  } catch (error) {
    if (error instanceof Refused) fault(error.message);
    else if (error instanceof NotGood) presentFault(error.word);
    else throw error;
  }
}

/** Show a good claim; with the city's record once that was asked. */
function presentClaim(claim, city, record) {
  const verdict = claimVerdict(claim, record);
  present((options) => {
    const parts = [verdictBanner(verdict, { compared: false })];
    if (record?.why) parts.push(notice("bad", null, record.why[current()]));
    if (city.records && record === null) parts.push(...recordQuestion(claim, city));
    parts.push(caution(startAgain), claimFacts(claim, city));
    parts.push(element("p", { class: "hint" }, word(record === null ? "codeOnly" : "numberSent")));
    if (!city.records) parts.push(element("p", { class: "hint" }, word("noRecords")));
    show(parts, options);
  });
}

function claimVerdict(claim, record) {
  const recorded = record === null ? "SIGNATURE_GOOD" : VERDICT_OF_STATUS[record.status];
  return claim.specimen && recorded !== "NOT_VALID" ? "TEST" : recorded;
}

function recordQuestion(claim, city) {
  const button = element("button", { type: "button", class: "primary", id: "record", "aria-describedby": "record-how" }, word("askRecords"));
  const refusal = element("p", { class: "notice bad", role: "alert", hidden: "" });
  button.addEventListener("click", async () => {
    button.textContent = word("asking");
    try {
      const address = `./status?number=${encodeURIComponent(claim.number)}`;
      presentClaim(claim, city, await answered(() => fetch(address, { cache: "no-store" })));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      button.textContent = word("askRecords");
      refusal.textContent = error.message;
      refusal.hidden = false;
    }
  });
  const how = element("span", { class: "hint", id: "record-how" }, word("askRecordsHow"));
  return [element("div", { class: "ask" }, button, how), refusal];
}

function presentFault(name) {
  present((options) => {
    const tooOld = name === "browserTooOld";
    const verdict = name === "codeUnreadable" ? "NO_CODE" : "ALTERED";
    const banner = tooOld ? openBanner(word("cannotTell"), word(name)) : verdictBanner(verdict);
    const why = tooOld ? null : notice("bad", null, word(name));
    const again = element("button", { type: "button", class: "primary", onclick: startAgain }, word(tooOld ? "compareText" : "again"));
    show([banner, why, element("div", { class: "actions" }, again)].filter((part) => part !== null), options);
  });
}

function present(draw) {
  redraw = draw;
  byId("start").hidden = true;
  draw({ focus: true });
}

/** Go back to the beginning, and forget what was shown. */
function startAgain() {
  redraw = null;
  history.replaceState(null, "", location.pathname);
  clear();
  byId("result").replaceChildren();
  byId("result").hidden = true;
  byId("start").hidden = false;
  byId("live").textContent = "";
  document.title = word("title");
  byId("files").focus();
}

function fault(sentence) {
  byId("start").hidden = false;
  byId("fault").textContent = sentence;
  byId("fault").hidden = false;
}

function waiting(name) {
  const button = byId("verify");
  button.setAttribute("aria-disabled", String(name !== null));
  button.textContent = word(name ?? "verify");
  if (name !== null) byId("live").textContent = word(name);
}

function showMeanings() {
  byId("verdicts").replaceChildren(...Object.values(VERDICTS).flatMap(({ tone, icon: drawn, [current()]: [title, sentence] }) => [
    element("dt", { class: tone }, icon(drawn), title),
    element("dd", {}, sentence),
  ]));
}
