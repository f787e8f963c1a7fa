// Shows a verdict and what it rests on.

import { byId, element, icon } from "./elements.js";
import { current, dayText, word } from "./language.js";
import { KINDS_IN_ENGLISH, VERDICTS } from "./words.js";

/** Return the heading: the verdict as icon, word and sentence. */
export function verdictBanner(name, { compared = true } = {}) {
  const { tone, icon: drawn, [current()]: [title, sentence, uncompared] } = VERDICTS[name];
  if (!compared && uncompared !== undefined) return banner("open", drawn, title, uncompared);
  return banner(tone, drawn, title, sentence);
}

/** Return the heading where nothing can be told. */
export function openBanner(title, sentence) {
  return banner("open", "question", title, sentence);
}

function banner(tone, drawn, title, sentence) {
  return element("div", { class: `verdict ${tone}` }, icon(drawn), element("div", {},
    element("h1", { id: "verdict", tabindex: "-1" }, title), element("p", {}, sentence)));
}

/** Return the whole answer of the server to an upload. */
export function uploadResult(answer, city, again) {
  const uncompared = answer.sheets.some((sheet) => sheet.claim !== null && !sheet.compared);
  const parts = [verdictBanner(answer.verdict, { compared: !uncompared })];
  if (answer.notice !== null) parts.push(notice("warning", null, answer.notice[current()]));
  if (uncompared) parts.push(caution(null));
  if (answer.missing.length > 0) {
    parts.push(notice("warning", word("missing"), answer.missing.map((one) => word("missingSheet", one)).join(current() === "ja" ? "、" : ", ")));
  }
  answer.sheets.forEach((sheet, place) => parts.push(sheetPart(sheet, place + 1, city)));
  parts.push(element("div", { class: "actions" }, element("button", { type: "button", class: "primary", onclick: again }, word("again"))));
  return parts;
}

/** Return the facts of a claim. */
export function claimFacts(claim, city, more = []) {
  const kind = city.kinds.find((one) => one.name === claim.kind);
  const title = current() === "ja" ? [kind.title] : [`${KINDS_IN_ENGLISH[claim.kind]} `, element("span", { lang: "ja" }, `（${kind.title}）`)];
  const rows = [
    [word("issuer"), [element("span", { lang: "ja" }, cityName(city))]],
    [word("kind"), title],
    [word("number"), [element("span", { lang: "ja" }, claim.number)]],
    [word("page"), [`${claim.sheet}/${claim.sheets}`]],
    [word("issuedOn"), [dayText(claim.issuedOn)]],
    ...more,
  ];
  return element("dl", { class: "facts" }, ...rows.flatMap(([name, value]) =>
    [element("dt", {}, name), element("dd", {}, ...value)]));
}

export function cityName(city) {
  return city.name || word("cityByCode", city.city);
}

/** Return the warning that the words around a good code were not looked at. */
export function caution(compare) {
  const box = notice("warning", word("caution"), word("cautionHow"));
  if (compare !== null) {
    box.append(element("button", { type: "button", class: "button", onclick: compare }, word("compareText")));
  }
  return box;
}

export function notice(tone, title, sentence) {
  return element("div", { class: `notice ${tone}` },
    title === null ? null : element("h2", {}, icon("warning"), title), element("p", {}, sentence));
}

/** Put parts in place of the last result, and lead keyboard and screen reader there. */
export function show(parts, { focus = true } = {}) {
  const section = byId("result");
  section.replaceChildren(...parts);
  section.hidden = false;
  const heading = byId("verdict");
  document.title = `${heading.textContent} — ${word("title")}`;
  if (!focus) return;
  byId("live").textContent = `${word("done")}${heading.textContent}`;
  heading.focus({ preventScroll: true });
  section.scrollIntoView({ block: "start" });
}

function sheetPart(sheet, place, city) {
  const { claim } = sheet;
  const { tone, icon: drawn, [current()]: [title] } = VERDICTS[sheet.verdict];
  const name = claim === null ? word("sheetUnknown", place) : word("sheetOf", claim.sheet, claim.sheets);
  const part = element("section", { class: "sheet" },
    element("h2", {}, name, element("span", { class: `badge ${tone}` }, icon(drawn), title)));
  if (claim !== null) {
    const isAltered = sheet.altered.length > 0 || sheet.regions.length > 0 || sheet.contradicts;
    const text = word(isAltered ? "altered" : sheet.compared ? "compared" : "notCompared");
    part.append(claimFacts(claim, city, [[word("text"), [text]]]));
  }
  for (const sentence of [sheet.why, sheet.problem]) {
    if (sentence !== null) part.append(element("p", {}, sentence[current()]));
  }
  if (sheet.contradicts) part.append(element("p", {}, word("contradicts")));
  list(part, word("alteredLines"), sheet.altered.map((line) => line || word("lineMissing")), "ja");
  list(part, word("alteredRegions"), sheet.regions.map((region) => word("region", region)), current());
  if (sheet.picture !== "") part.append(picture(sheet));
  return part;
}

function list(part, title, lines, lang) {
  if (lines.length === 0) return;
  part.append(element("h3", {}, title),
    element("ul", { class: "altered" }, ...lines.map((line) => element("li", { lang }, line))));
}

function picture(sheet) {
  const caption = word(sheet.pictureIsDifference ? "difference" : "issuedPicture");
  const regions = sheet.regions.map((region) => word("region", region)).join(" ");
  return element("figure", {}, element("figcaption", {}, caption),
    element("img", { src: `data:image/png;base64,${sheet.picture}`, alt: `${caption} ${regions}` }));
}
