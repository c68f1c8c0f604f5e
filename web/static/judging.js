// A lot's page judges many images at once: what is selected, one key, one request; and undoes what was done.
import { capital, gettext, ngettext, number } from "./language.js";
import { inWords, KindChoice } from "./kind_choice.js";
import { Reviewer } from "./reviewer.js";
import { Selection } from "./selection.js";
import { send, sendOnce } from "./send.js";
import { claim } from "./sharing.js";
import { showTimes } from "./times.js";

const get = (id) => document.getElementById(id);
const bar = get("judging"), lot = bar.dataset.lot;
const RENEWED = ["work", "facts", "images-shown", "differing", "actions"];
let busy = false;

function say(text, wrong = false) {
  get("said").textContent = text;
  get("said").classList.toggle("error", wrong);
}

const reviewer = new Reviewer(get("name"), say);
const selection = new Selection(get("images"), lot, () => {
  const here = selection.items.filter((item) => selection.ids.has(item.dataset.image)).length;
  const elsewhere = selection.ids.size - here;
  const all = selection.ids.size, away = { elsewhere: number(elsewhere) };
  if (!all) get("selected").textContent = gettext("Nothing selected.");
  else if (!elsewhere) get("selected").textContent = ngettext("%(count)s image selected.", "%(count)s images selected.", all);
  else {
    get("selected").textContent = ngettext("%(count)s image selected, %(elsewhere)s of them not on this page.",
      "%(count)s images selected, %(elsewhere)s of them not on this page.", all, away);
  }
  get("clear").disabled = !selection.ids.size;
});

// Shows the page as it is now without leaving it: the site renders it, and its parts are put in place.
async function renew() {
  const focused = selection.items.indexOf(selection.focused);
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of RENEWED) get(id).replaceWith(page.getElementById(id));
  showTimes(document);
  shown();
  if (focused >= 0) (selection.items[Math.min(focused, selection.items.length - 1)]?.querySelector("a") ?? get("main")).focus();
}

// Sends one request, and says what was stored, or why not; a second one waits for no key.
async function act(address, content, told) {
  if (busy) return;
  busy = true;
  bar.setAttribute("aria-busy", "true");
  try {
    const answer = await (address === "undo" ? send : sendOnce)(`${lot}/${address}`, content);
    selection.replace([]);
    await renew();
    say(told(answer.said));
  } catch (error) {
    say(gettext("Not stored: %(reason)s", { reason: error.message }), true);
  } finally {
    busy = false;
    bar.removeAttribute("aria-busy");
  }
}

const kinds = new KindChoice((kind) => judge("defective", kind), say);

function judge(verdict, kind = "") {
  const focused = selection.focused;
  const images = selection.ids.size ? [...selection.ids] : focused ? [focused.dataset.image] : [];
  if (!images.length) {
    say(gettext("Select images first: click or Space for one, A for all on this page."), true);
    return;
  }
  const severity = verdict === "defective" ? kinds.severity : "";
  const what = verdict === "withdrawn" ? gettext("verdicts are taken back")
    : ngettext("%(count)s image is judged %(verdict)s", "%(count)s images are judged %(verdict)s", images.length, { verdict: inWords(gettext(verdict), { kind, severity }) });
  const sent = { verdict, kind, severity, looked: get("looked").checked, images };
  reviewer.ask(what, (name) => act("verdicts", { ...sent, name }, (said) => {
    kinds.severity = "";
    return gettext("%(said)s. Ctrl-Z undoes.", { said });
  }));
}

function undo(action = "") {
  reviewer.ask(gettext("it is undone"), (name) => act("undo", { action, name }, (said) => gettext("%(said)s.", { said: capital(said) })));
}

async function select(query) {
  const answer = await fetch(`${lot}/selection.json?${query}`);
  if (!answer.ok) { say(gettext("The images could not be selected."), true); return; }
  selection.replace((await answer.json()).images);
  say("");
}

const selects = {
  page: () => selection.set(selection.items.map((item) => item.dataset.image), true),
  view: () => select(get("images-shown").dataset.query),
  accepted: () => select("decision=accepted&verdict=none"),
  below: () => select(new URLSearchParams({ verdict: "none", high: get("below").value })),
};
for (const button of document.querySelectorAll("[data-select]")) {
  button.addEventListener("click", () => selects[button.dataset.select]());
}
for (const button of bar.querySelectorAll("[data-verdict]")) {
  button.addEventListener("click", () => judge(button.dataset.verdict));
}
get("below").addEventListener("keydown", (event) => { if (event.key === "Enter") selects.below(); });
get("clear").addEventListener("click", () => selection.replace([]));
get("undo").addEventListener("click", () => undo());
get("main").addEventListener("click", (event) => {
  const button = event.target.closest("[data-undo]");
  if (button) undo(button.dataset.undo);
  const link = event.target.closest("#go-on");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();  // to the first image that nobody else has open; where that cannot be told, to the first one
  claim(lot, "", link.dataset.view, reviewer.name)
    .then((got) => { location.href = got.image ? `${lot}/images/${encodeURIComponent(got.image)}?${link.dataset.view}` : link.href; })
    .catch(() => { location.href = link.href; });
});
function clicking() {
  selection.clicking = !selection.clicking;
  get("clicking").setAttribute("aria-pressed", String(selection.clicking));
  get("images").classList.toggle("clicking", selection.clicking);
}
get("clicking").addEventListener("click", clicking);

// Thumbnails hold the photograph and the same under its heatmap.
let plain = false;
function shown() {
  get("tiles")?.classList.toggle("photographs", plain);
  get("plain")?.setAttribute("aria-pressed", String(plain));
  selection.show();
}
get("images").addEventListener("click", (event) => {
  if (!event.target.closest("#plain")) return;
  plain = !plain;
  shown();
});

const keys = {
  d: () => judge("defective"), g: () => judge("good"), u: () => judge("unsure"), Backspace: () => judge("withdrawn"),
  a: selects.page, v: selects.view, s: clicking, l: () => get("looked").click(), Escape: () => selection.replace([]),
};
const typing = (target) => target.matches("textarea, select, input:not([type=range], [type=checkbox])");
document.addEventListener("keydown", (event) => {
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
    event.preventDefault();
    undo();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !get("keys").checked) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = keys[key] ?? kinds.action(key);
  if (!action) return;
  event.preventDefault();
  action();
});
get("keys").checked = localStorage.getItem("musc-keys") !== "off";
get("keys").addEventListener("change", () => localStorage.setItem("musc-keys", get("keys").checked ? "on" : "off"));

document.body.classList.add("selecting");
selection.show();
