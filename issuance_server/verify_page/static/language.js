// Which language the page speaks. The choice lives as long as the page: nothing is stored.

import { WORDS } from "./words.js";

let language = navigator.languages.some((name) => name.startsWith("ja")) ? "ja" : "en";
const listeners = [];

export function current() {
  return language;
}

/** Return a word of the current language; with arguments if it takes some. */
export function word(name, ...parameters) {
  const found = WORDS[language][name];
  return typeof found === "function" ? found(...parameters) : found;
}

/** Call back now and whenever the language changes. */
export function onLanguage(listener) {
  listeners.push(listener);
  listener();
}

export function setLanguage(chosen) {
  language = chosen;
  listeners.forEach((listener) => listener());
}

/** Return a day such as 2026-11-30 as people write it. */
export function dayText(day) {
  const date = new Date(`${day}T00:00:00Z`);
  if (language === "en") {
    return new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(date);
  }
  const [year, month, dayOfMonth] = day.split("-").map(Number);
  const era = new Intl.DateTimeFormat("ja-JP-u-ca-japanese", { era: "long", year: "numeric", timeZone: "UTC" }).format(date);
  return `${era}（${year}年）${month}月${dayOfMonth}日`;
}
