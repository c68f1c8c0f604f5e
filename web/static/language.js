// Messages, numbers and times in the page's language. What the page does not bring translated stays English.
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const language = document.documentElement.lang;
// A reader whose browser speaks the page's language in the way of a country gets numbers and times as there.
const own = navigator.languages.find((one) => one.split("-")[0] === language.split("-")[0]) ?? language;

const filled = (message, values) => message.replace(/%\((\w+)\)s|%%/g, (found, name) => (name ? values[name] : "%"));

export const gettext = (message, values = {}) => filled(words[message] ?? message, values);

export function ngettext(one, several, count, values = {}) {
  const forms = words[one] ?? [one, several];
  return filled(forms[Math.min(count === 1 ? 0 : 1, forms.length - 1)], { count: number(count), ...values });
}

// A number with its separators; with `digits` after the point, as scores are written, without groups.
export const number = (value, digits = 0) =>
  value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: digits === 0 });

export const moment = (time) => time.toLocaleString(own, { dateStyle: "medium", timeStyle: "short" });

export const day = (iso) => (language === "en" ? iso : new Date(`${iso}T00:00:00Z`).toLocaleDateString(language, {
  timeZone: "UTC", year: "numeric", month: language === "de" ? "2-digit" : "short", day: "2-digit",
}));

export const capital = (text) => `${text[0].toUpperCase()}${text.slice(1)}`;
