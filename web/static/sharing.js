// Sharing a lot: says which image this tab has open, and learns the next one that nobody else has; loads it before it is asked for.
import { gettext, number } from "./language.js";
import { send } from "./send.js";

const RENEW_MS = 40000;

function reader() {
  let known = sessionStorage.getItem("musc-reader");
  if (!known) {
    known = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("musc-reader", known);
  }
  return known;
}

// Claims an image of a view, the first free one for an empty id; the answer names it, the next one, and who else has it open.
export function claim(lot, image, view, name) {
  return send(`${lot}/claims`, { reader: reader(), name, view, image });
}

// What the next image's page shows first is asked for now, and kept by the browser.
function load(link) {
  const base = link.href.split("?")[0];
  if (load.last === base) return;
  load.last = base;
  new Image().src = `${base}/photograph`;
  fetch(`${base}/map.json`).catch(() => {});
}

// Keeps an image's page up to date with what others have open; its link to the next image leads to a free one.
export async function share(look, name) {
  const next = document.getElementById("next");
  if (next) load(next);
  if (!("work" in look.dataset)) return;
  const told = document.getElementById("shared");
  const renew = async () => {
    if (document.hidden) return;
    const got = await claim(look.dataset.lot, look.dataset.image, look.dataset.view, name());
    document.getElementById("done").textContent = gettext("%(done)s of %(all)s done", { done: number(got.done), all: number(got.total) });
    if (next && got.next) {
      next.href = `${look.dataset.lot}/images/${encodeURIComponent(got.next)}?${look.dataset.view}`;
      load(next);
    }
    const others = got.others.map((one) => gettext("%(name)s has had this image open for %(seconds)s s", one)).join(", ");
    told.textContent = !others ? "" : got.next
      ? gettext("%(others)s. You may judge it all the same, or go on to the next one.", { others })
      : gettext("%(others)s. You may judge it all the same.", { others });
  };
  const quietly = () => renew().catch(() => {});  // without an answer the page works as for one person
  await quietly();
  setInterval(quietly, RENEW_MS);
  document.addEventListener("visibilitychange", quietly);
}
