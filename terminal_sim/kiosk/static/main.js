// The panel: draws each screen that comes, and sends each touch back.

import { aroundTitle, button, drawControls, drawThings, drawTold, element } from "./draw.js";
import { forgetPictures, take, touch, turn, watch } from "./machine.js";
import { alarm, hush, speak } from "./sound.js";
import { firstLanguage, languages, load, locale, say } from "./words.js";

const COMFORTS = ["large-text", "contrast", "low-reach", "voice", "calm"];
const FAULTS = ["jam", "toner", "line", "plug"];
const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const on = new Set();
let frame = null;
let drawn = "";
let aheadMs = 0;
let beginning = firstLanguage();
let language = beginning;

async function begin() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) on.add("calm");
  if (matchMedia("(prefers-contrast: more)").matches) on.add("contrast");
  for (const one of await languages()) {
    byId("languages").append(element("option", { value: one.name, lang: one.locale }, one.title));
  }
  await speakLanguage(beginning);
  for (;;) {
    let ended = "lost";
    try {
      await take();
      ended = await watch(show);
    } catch (error) {
      console.error(error.name); // a fault of this page, or the machine is gone
    }
    frame = null;
    drawn = "";
    await offerAgain(ended);
  }
}

function offerAgain(ended) {
  alarm(false);
  return new Promise((resolve) => {
    const again = element("button", { type: "button", class: "primary" }, say("take-panel"));
    again.addEventListener("click", resolve, { once: true });
    if (ended === "lost") setTimeout(resolve, 2000);
    byId("told").replaceChildren(element("h1", { id: "title", tabIndex: -1 }, say(`panel-${ended}`)));
    byId("controls").replaceChildren(element("div", { class: "actions" }, again));
    byId("around").hidden = true;
  });
}

async function speakLanguage(wanted) {
  if (!(await load(wanted))) return;
  language = wanted;
  byId("languages").value = wanted;
  drawAround();
  drawn = "";
  if (frame) draw();
  root.dataset.language = wanted;
}

function show(received) {
  const before = frame?.screen.name;
  aheadMs = received.now_ms - Date.now();
  frame = received;
  if (before && before !== "start" && received.screen.name === "start") reset();
  draw();
}

function reset() {
  // The next person begins as everybody does.
  for (const one of ["large-text", "contrast", "low-reach", "voice"]) on.delete(one);
  hush();
  forgetPictures();
  drawAround();
  if (language !== beginning) speakLanguage(beginning);
}

function draw() {
  const { screen } = frame;
  const now = JSON.stringify([screen, frame.faults, language, [...on]]);
  if (now === drawn) return;
  const same = drawn !== "" && JSON.parse(drawn)[0].name === screen.name;
  drawn = now;
  const held = document.activeElement?.dataset?.touch ?? document.activeElement?.id;
  root.dataset.screen = screen.name;
  root.toggleAttribute("data-private", screen.private);
  document.title = `${say(screen.title)} – ${say("machine")}`;
  byId("told").replaceChildren(...drawTold(screen));
  byId("controls").replaceChildren(...drawControls(screen));
  byId("controls").hidden = byId("controls").childElementCount === 0;
  const things = drawThings(screen);
  byId("around").hidden = things.length === 0;
  byId("around-title").textContent = aroundTitle(screen);
  byId("things").replaceChildren(...things);
  drawFaults();
  drawComfort();
  focusAgain(same, held);
  alarm(screen.alarm !== "");
  if (!same) tell(screen);
  tick();
}

function focusAgain(same, held) {
  if (!same) {
    byId("title").focus({ preventScroll: true });
    scrollTo(0, 0);
    return;
  }
  if (!held) return;
  const found = document.querySelector(`[data-touch="${CSS.escape(held)}"]`) ?? byId(held);
  if (found && found !== document.activeElement) found.focus({ preventScroll: true });
}

function tell(screen) {
  const lines = screen.lines.map((line) => `${say(line.key, line.values)} ${line.values.value_key ? say(line.values.value_key, line.values) : ""}`);
  const text = [say(screen.title), ...lines].join(" ");
  byId("live").textContent = text;
  if (on.has("voice")) speak(text, locale());
}

function drawAround() {
  byId("machine").textContent = say("machine");
  byId("fictitious").textContent = say("fictitious");
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = say(one.dataset.word);
  byId("stay").textContent = say("stay");
  byId("stay").dataset.touch = "stay";
  byId("operator-title").textContent = say("operator");
  byId("operator-hint").textContent = say("operator-hint");
  drawComfort();
}

function drawComfort() {
  for (const one of COMFORTS) root.classList.toggle(one, on.has(one));
  const held = document.activeElement?.dataset?.comfort;
  const comfort = byId("comfort");
  comfort.setAttribute("aria-label", say("comfort"));
  const switches = COMFORTS.map((one) => element("button", { type: "button", "data-comfort": one, "aria-pressed": String(on.has(one)) }, say(one)));
  const veiled = String(frame?.screen.veiled ?? false);
  switches.push(element("button", { type: "button", "data-touch": "veil", "aria-pressed": veiled }, say("veil")));
  comfort.replaceChildren(...switches);
  if (held) comfort.querySelector(`[data-comfort="${held}"]`)?.focus();
}

function drawFaults() {
  const faults = frame?.faults ?? [];
  byId("faults").replaceChildren(
    ...FAULTS.map((one) => button({ key: `fault-${one}`, touch: "", chosen: faults.includes(one) }, { "data-fault": one })),
  );
}

function tick() {
  const screen = frame?.screen;
  const now = Date.now() + aheadMs;
  const warned = Boolean(screen?.warns_at_ms) && now >= screen.warns_at_ms;
  byId("warning").hidden = !warned;
  if (warned) {
    const seconds = Math.max(0, Math.ceil((screen.leaves_at_ms - now) / 1000));
    byId("countdown").textContent = say("leaves-soon", { seconds });
  }
}

function press(target) {
  const pressed = target.closest("button");
  if (!pressed || pressed.getAttribute("aria-disabled") === "true") return;
  const { comfort, fault } = pressed.dataset;
  if (comfort) {
    on.has(comfort) ? on.delete(comfort) : on.add(comfort);
    if (comfort === "voice") on.has("voice") && frame ? tell(frame.screen) : hush();
    drawComfort();
  } else if (fault) turn(fault, pressed.getAttribute("aria-pressed") !== "true");
  else if (pressed.dataset.touch && frame) touch(frame.screen.name, pressed.dataset.touch);
}

document.addEventListener("click", (event) => press(event.target));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  typeLetter(event.key);
  const pad = frame?.screen.pad;
  if (!pad) return;
  if (/^[0-9]$/.test(event.key)) touch("pin", `pad:${pad.digits.indexOf(Number(event.key))}`);
  else if (event.key === "Backspace") touch("pin", "erase");
});
function typeLetter(key) {
  const letters = frame?.screen.letters;
  if (!letters) return;
  if (key === "Backspace") touch("prepared", "unletter");
  else if (key.length === 1 && letters.characters.includes(key.toUpperCase())) touch("prepared", `letter:${key.toUpperCase()}`);
}
byId("languages").addEventListener("change", (event) => speakLanguage(event.target.value));
setInterval(tick, 250);
begin();
