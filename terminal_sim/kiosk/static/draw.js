// A screen into elements. What can be touched carries its touch; the rest is text.

import { picture } from "./machine.js";
import { say } from "./words.js";

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("aria-") || key.startsWith("data-") || key === "role") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function drawTold(screen) {
  const title = element("h1", { id: "title", tabIndex: -1 }, say(screen.title));
  const rows = screen.lines.filter((line) => line.tone === "row");
  const parts = [title];
  if (screen.alarm) {
    parts.push(element("p", { class: "alarm", role: "alert" }, say(`alarm-${screen.alarm}`)));
  }
  const points = screen.lines.filter((line) => line.tone === "point");
  if (points.length) {
    parts.push(element("ul", { class: "points" }, ...points.map((one) => element("li", {}, say(one.key, one.values)))));
  }
  let drawnRows = false;
  for (const line of screen.lines) {
    if (line.tone === "point") continue;
    if (line.tone !== "row") parts.push(element("p", { class: line.tone }, say(line.key, line.values)));
    else if (!drawnRows) {
      drawnRows = true;
      parts.push(drawRows(rows));
    }
  }
  if (screen.pad) parts.push(drawTyped(screen.pad));
  if (screen.letters) {
    const typed = screen.letters.typed;
    parts.push(element("p", { class: "code", role: "img", "aria-label": say("prepared-typed", { code: typed.split("").join(" ") }) }, typed.padEnd(8, "·")));
  }
  if (screen.busy) parts.push(element("div", { class: "busy", "aria-hidden": "true" }, ...[1, 2, 3].map(() => element("i"))));
  if (screen.sheets) parts.push(drawSheets(screen));
  return parts;
}

function drawRows(rows) {
  const list = element("dl", { class: "rows" });
  for (const row of rows) {
    const key = row.key;
    list.append(element("div", { class: key }, element("dt", {}, say(key)), element("dd", {}, say(row.values.value_key, row.values))));
  }
  return list;
}

function drawTyped(pad) {
  const dots = Array.from({ length: Math.max(4, pad.typed) }, (_, at) => element("i", { class: at < pad.typed ? "full" : "" }));
  return element("div", { class: "typed", role: "img", "aria-label": say("typed", { count: pad.typed }) }, ...dots);
}

function drawSheets(screen) {
  const { paper, out, total, veiled } = screen.sheets;
  const pile = element("div", { class: "sheets" });
  for (let sheet = 1; sheet <= total; sheet++) {
    const place = element("figure", { class: sheet <= out ? "out" : "coming" });
    if (sheet <= out) {
      const text = say(veiled ? "sheet-veiled" : "sheet-picture", { sheet });
      if (veiled) place.append(element("div", { class: "back", role: "img", "aria-label": text }));
      else {
        const image = element("img", { alt: text });
        picture(paper, sheet).then((address) => { if (address) image.src = address; });
        place.append(image);
      }
      place.append(element("figcaption", {}, `${sheet}/${total}`));
    }
    pile.append(place);
  }
  return pile;
}

export function button(choice, properties = {}) {
  const pressed = choice.chosen === null || choice.chosen === undefined ? {} : { "aria-pressed": String(choice.chosen) };
  const blocked = choice.can === false ? { "aria-disabled": "true" } : {};
  const note = choice.note ? element("small", {}, say(choice.note.key, choice.note.values)) : null;
  return element(
    "button",
    { type: "button", class: choice.look ?? "plain", "data-touch": choice.touch, ...pressed, ...blocked, ...properties },
    element("span", {}, say(choice.key, choice.values)),
    note,
  );
}

export function drawControls(screen) {
  const parts = [];
  if (screen.pad) parts.push(drawPad(screen.pad));
  if (screen.letters) parts.push(drawLetters(screen.letters));
  const others = screen.choices.filter((one) => ["plain", "large", "wide"].includes(one.look));
  const groups = new Map();
  for (const choice of others) {
    const group = choice.touch.split(":")[0];
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(choice);
  }
  const loose = [];
  for (const [group, choices] of groups) {
    if (["scope", "item", "member"].includes(group)) {
      const id = `group-${group}`;
      parts.push(
        element("div", { class: "group", role: "group", "aria-labelledby": id },
          element("h2", { id }, say(id)),
          element("div", { class: "choices" }, ...choices.map((one) => button(one)))),
      );
    } else loose.push(...choices);
  }
  if (loose.length) parts.push(element("div", { class: `choices of-${screen.name}` }, ...loose.map((one) => button(one))));
  const actions = screen.choices.filter((one) => one.look === "primary" || one.look === "quiet");
  if (screen.alarm) actions.unshift({ touch: "quiet", key: "quiet", look: "primary" });
  if (actions.length) parts.push(element("div", { class: "actions" }, ...actions.map((one) => button(one))));
  return parts;
}

function drawPad(pad) {
  const key = (position) =>
    element("button", { type: "button", class: "digit", "data-touch": `pad:${position}`, ...(pad.full ? { "aria-disabled": "true" } : {}) }, String(pad.digits[position]));
  const keys = pad.digits.map((_, position) => key(position));
  const erase = button({ touch: "erase", key: "erase", can: pad.typed > 0, look: "digit word" });
  const shuffle = button({ touch: "shuffle", key: "shuffle", look: "digit word" });
  return element("div", { class: "pad", role: "group", "aria-label": say("pad-label") }, ...keys.slice(0, 9), erase, keys[9], shuffle);
}

function drawLetters(letters) {
  const keys = [...letters.characters].map((one) =>
    element("button", { type: "button", class: "digit", "data-touch": `letter:${one}`, ...(letters.full ? { "aria-disabled": "true" } : {}) }, one));
  const erase = button({ touch: "unletter", key: "erase", can: letters.typed !== "", look: "digit word" });
  return element("div", { class: "letters", role: "group", "aria-label": say("prepared-letters") }, ...keys, erase);
}

export function drawThings(screen) {
  return screen.things.map((thing) => {
    const common = { type: "button", "data-touch": thing.touch };
    switch (thing.kind) {
      case "card":
        return element("div", { class: "card-place" },
          element("button", { ...common, class: `card ${thing.form}` },
            element("i", { class: "chip", "aria-hidden": "true" }), element("span", {}, thing.label), element("small", {}, say(`card-${thing.form}`)),
            element("span", { class: "unseen" }, say("card-place", { holder: thing.label }))),
          thing.pin ? element("p", { class: "memo" }, say("card-pin", { pin: thing.pin })) : null);
      case "card-in-slot":
        return element("button", { ...common, class: "card leaving" },
          element("i", { class: "chip", "aria-hidden": "true" }), element("span", {}, say("card-take")), element("small", {}, thing.label));
      case "coin":
      case "note":
        return element("button", { ...common, class: `${thing.kind} yen-${thing.yen}`, "aria-label": say(thing.kind, { yen: thing.yen }) }, thing.yen.toLocaleString("ja"));
      case "e-money":
        return element("button", { ...common, class: "e-money" }, say("e-money-tap"));
      case "phone":
        return element("button", { ...common, class: "phone" }, element("span", {}, say("phone-hold")), element("small", {}, thing.label));
      default:
        return element("button", { ...common, class: "take-paper" }, say("paper-take"));
    }
  });
}

export function aroundTitle(screen) {
  const [first] = screen.things;
  const names = { card: "around-cards", "card-in-slot": "around-card", coin: "around-money", note: "around-money", paper: "around-paper", phone: "around-phone" };
  return first ? say(names[first.kind]) : "";
}
