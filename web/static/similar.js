// Judged defects that this image looks like, once the nearest good places are shown: a suggestion that presses no key.
import { gettext, number } from "./language.js";
import { inWords } from "./kind_choice.js";

const root = new URL("..", import.meta.url);

export async function loadSimilar(base, place, figure) {
  const answer = await fetch(`${base}/similar.json`);
  if (!answer.ok) return;
  const found = await answer.json();
  if (!found.alike.length) return;
  document.getElementById("alike-said").textContent = found.said;
  place.replaceChildren(...found.alike.map((one) => {
    const address = new URL(`lots/${encodeURIComponent(one.run)}/images/${encodeURIComponent(one.image_id)}`, root).href;
    const text = gettext("%(kind)s: %(path)s, distance %(distance)s", { kind: inWords("", one), path: one.path, distance: number(one.distance, 4) });
    return figure(`${address}/crop/${one.patch}`, text, address);
  }));
  document.getElementById("alike").hidden = false;
}
