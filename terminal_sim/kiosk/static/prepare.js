// At home: what is wanted becomes a code. Nothing personal is asked, so nothing personal is in it.

import { element } from "./draw.js";
import { firstLanguage, languages, load, say } from "./words.js";

const KINDS = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"];
const SCOPES = { juminhyo: ["self", "household", "some"], kisaijiko: ["self", "household", "some"], "koseki-zenbu": ["household"], fuhyo: ["self", "household"] };
const ITEMS = { juminhyo: ["relationship", "domicile"], kisaijiko: ["relationship", "domicile"], fuhyo: ["domicile"] };
const COPIES_MAX = 5;
const byId = (id) => document.getElementById(id);
let kind = "juminhyo";

function option(type, name, value, key, checked) {
  return element("label", {}, element("input", { type, name, value, checked }), element("span", {}, say(key)));
}

function fill(id, legend, options) {
  const box = byId(id);
  box.hidden = options.length === 0;
  box.replaceChildren(element("legend", {}, say(legend)), ...options);
}

function draw() {
  document.title = say("prepared");
  byId("title").textContent = say("prepared");
  byId("lead").textContent = say("prepare-lead");
  byId("languages-name").textContent = say("languages");
  byId("copies-name").textContent = say("row-copies");
  byId("make").textContent = say("prepare-make");
  fill("kinds", "row-kind", KINDS.map((one) => option("radio", "kind", one, `kind-${one}`, one === kind)));
  byId("copies").replaceChildren(
    ...Array.from({ length: COPIES_MAX }, (_, at) => element("option", { value: String(at + 1) }, say("copies-count", { copies: at + 1 }))),
  );
  drawContents();
}

function drawContents() {
  const ending = ["koseki-zenbu", "koseki-kojin", "fuhyo"].includes(kind) ? "-register" : "";
  const scopes = SCOPES[kind] ?? [];
  fill("scopes", "row-scope", scopes.map((one, at) => option("radio", "scope", one, `scope-${one}${ending}`, at === 0)));
  fill("items", "group-item", (ITEMS[kind] ?? []).map((one) => option("checkbox", "item", one, `item-${one}`, false)));
}

byId("wish").addEventListener("change", (event) => {
  if (event.target.name !== "kind") return;
  kind = event.target.value;
  drawContents();
});

byId("wish").addEventListener("submit", async (event) => {
  event.preventDefault();
  const chosen = new FormData(byId("wish"));
  const wish = { kind, scope: chosen.get("scope") ?? "self", items: chosen.getAll("item"), copies: Number(byId("copies").value) };
  const answer = await fetch("/prepared", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wish) });
  if (!answer.ok) return;
  const { code, minutes } = await answer.json();
  const shown = `${code.slice(0, 4)} ${code.slice(4)}`;
  byId("made").hidden = false;
  byId("made").replaceChildren(
    element("img", { src: `/prepared/${code}`, alt: say("prepare-code", { code: shown }) }),
    element("p", { class: "code" }, shown),
    element("p", {}, say("prepare-until", { minutes })),
  );
});

async function begin() {
  for (const one of await languages()) byId("languages").append(element("option", { value: one.name, lang: one.locale }, one.title));
  const first = firstLanguage();
  await load(first);
  byId("languages").value = first;
  draw();
}

byId("languages").addEventListener("change", async (event) => {
  await load(event.target.value);
  draw();
});
begin();
