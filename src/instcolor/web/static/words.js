// The words of the page in the language of the browser.

import en from "./words-en.js";

const TABLES = { de: () => import("./words-de.js"), es: () => import("./words-es.js"), fr: () => import("./words-fr.js") };
const wanted = navigator.languages.map((name) => name.slice(0, 2)).find((name) => name === "en" || name in TABLES) ?? "en";
const words = wanted === "en" ? en : (await TABLES[wanted]()).default;
const plural = new Intl.PluralRules(wanted);

/** What the page says for a key, with values filled in. */
export function t(key, values = {}) {
  const entry = words[key] ?? en[key];
  const text = typeof entry === "string" ? entry : entry[plural.select(values.n)] ?? entry.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Takes other words for some keys, from a table for each language. */
export function learn(tables) {
  Object.assign(en, tables.en);
  if (words !== en) Object.assign(words, tables[wanted]);
}

export const knows = (key) => key in en;

/** Fills in what stands in the page itself: data-t is the text, data-t-title and data-t-label are those attributes. */
export function speak(values) {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  if (!here) document.querySelector("[data-t=stays]").dataset.t = "staysServer";
  document.documentElement.lang = wanted;
  document.title = t("title");
  document.body.dataset.drop = t("dropToAdd");
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t, values);
  for (const element of document.querySelectorAll("[data-t-alt]")) element.alt = t(element.dataset.tAlt);
  for (const element of document.querySelectorAll("[data-t-title]")) element.title = t(element.dataset.tTitle, values);
  for (const element of document.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel, values));
  }
}
