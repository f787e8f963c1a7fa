// The words of the chosen language. Gaps are filled here; nothing of it is ever read as markup.

let table = {};
const LANGUAGES = ["ja", "ja-easy", "en", "zh", "ko", "vi", "pt"];

export function firstLanguage() {
  for (const wanted of navigator.languages ?? []) {
    const found = LANGUAGES.find((one) => one === wanted.slice(0, 2).toLowerCase());
    if (found) return found;
  }
  return "ja";
}

const fetched = new Map();

export async function load(language) {
  if (!fetched.has(language)) {
    const answer = await fetch(`/words/${language}`);
    if (!answer.ok) return false;
    fetched.set(language, await answer.json());
  }
  table = fetched.get(language);
  document.documentElement.lang = table.locale;
  return true;
}

export async function languages() {
  const found = await Promise.all(
    LANGUAGES.map(async (one) => {
      const answer = await fetch(`/words/${one}`);
      if (!answer.ok) return null;
      const words = await answer.json();
      fetched.set(one, words);
      return { name: one, title: words.language, locale: words.locale };
    }),
  );
  return found.filter(Boolean);
}

export function locale() {
  return table.locale ?? "ja";
}

export function say(key, values = {}) {
  const filled = {};
  const plain = Object.entries(values).filter(([name]) => !name.endsWith("_key"));
  for (const [name, value] of Object.entries(values)) {
    if (name.endsWith("_key")) filled[name.slice(0, -4)] = say(value, Object.fromEntries(plain));
    else filled[name] = shown(name, value);
  }
  const text = table[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (gap, name) => filled[name] ?? gap);
}

function shown(name, value) {
  if (name === "opens") {
    const form = { month: "long", day: "numeric", weekday: "short", hour: "numeric", minute: "2-digit", timeZone: "Asia/Tokyo" };
    return new Intl.DateTimeFormat(locale(), form).format(value);
  }
  return typeof value === "number" ? new Intl.NumberFormat(locale()).format(value) : value;
}
