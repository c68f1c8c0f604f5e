// An image's page: the viewer, drawing, verdicts and keys are put together here.
import { drawHeat, drawScale, outlinePath } from "./heat.js";
import { Viewer } from "./viewer.js";
import { Drawing } from "./drawing.js";
import { gettext, number } from "./language.js";
import { Ignored } from "./ignored.js";
import { share } from "./sharing.js";
import { loadSimilar } from "./similar.js";
import { Verdicts } from "./verdicts.js";

const look = document.getElementById("look");
const get = (id) => document.getElementById(id);
const size = { width: Number(look.dataset.width), height: Number(look.dataset.height) };
const SVG = "http://www.w3.org/2000/svg";

const viewer = new Viewer(get("stage"), get("scene"), size, (scale) => {
  get("zoom-level").textContent = `${Math.round(100 * scale)} %`;
});
const drawing = new Drawing(viewer, get("drawings"), get("regions"), size, {
  box: get("draw-box"), outline: get("draw-outline"),
});
const ignoring = new Drawing(viewer, get("ignored-drawings"), get("ignored-list"), size, {
  box: get("ignore-box"), outline: get("ignore-outline"),
}, ["ignored"]);
new Ignored(look.dataset.base, ignoring, JSON.parse(get("known-ignored").textContent));
const verdicts = new Verdicts(look.dataset.base, drawing, JSON.parse(get("known").textContent), () => {
  if (get("go-on").checked && get("next")) verdicts.leave(get("next"));
});

const photograph = get("photograph"), tellGone = () => { get("gone").hidden = false; photograph.hidden = true; };
photograph.addEventListener("error", tellGone);
if (photograph.complete && !photograph.naturalWidth) tellGone();
get("zoom-in").addEventListener("click", () => viewer.zoom(1.5));
get("zoom-out").addEventListener("click", () => viewer.zoom(1 / 1.5));
get("zoom-fit").addEventListener("click", () => viewer.fit());
get("zoom-full").addEventListener("click", () => viewer.full());

async function loadMap() {
  const answer = await fetch(`${look.dataset.base}/map.json`);
  if (!answer.ok) return;
  const map = await answer.json();
  const strength = get("strength"), kept = localStorage.getItem("musc-strength");
  if (kept !== null) strength.value = kept;
  const paint = () => drawHeat(get("heat"), map, size, Number(strength.value) / 100);
  strength.addEventListener("input", () => { localStorage.setItem("musc-strength", strength.value); paint(); });
  paint();
  drawScale(get("scale"), map);
  get("scale-low").textContent = number(map.low, 3);
  get("scale-high").textContent = number(map.high, 3);
  if (map.outline !== null) {
    const path = outlinePath(map, size);
    for (const kind of ["under", "over"]) {
      const line = document.createElementNS(SVG, "path");
      line.setAttribute("class", kind);
      line.setAttribute("d", path);
      get("outlines").append(line);
    }
  }
  const radius = Math.max(size.width / map.columns, size.height / map.rows) * 1.5;
  for (const kind of ["under", "over"]) {
    const ring = document.createElementNS(SVG, "circle");
    ring.setAttribute("class", kind);
    ring.setAttribute("cx", look.dataset.peakX);
    ring.setAttribute("cy", look.dataset.peakY);
    ring.setAttribute("r", radius);
    get("worst").append(ring);
  }
}

get("show-outlines").addEventListener("change", (event) => {
  for (const id of ["outlines", "worst"]) get(id).setAttribute("visibility", event.target.checked ? "visible" : "hidden");
});

function figure(source, text, link) {
  const frame = document.createElement("figure"), picture = document.createElement("img");
  const caption = document.createElement("figcaption");
  picture.src = source;
  picture.alt = text;
  caption.textContent = text;
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.append(picture);
    frame.append(anchor, caption);
  } else frame.append(picture, caption);
  return frame;
}

async function loadMatches() {
  const place = get("matches"), answer = await fetch(`${look.dataset.base}/matches.json`);
  if (!answer.ok) { place.textContent = gettext("The nearest places cannot be shown."); return; }
  const found = await answer.json();
  place.replaceChildren(figure(`${look.dataset.base}/crop/${found.patch}`, gettext("worst place of this image")));
  if (found.words.length) place.before(Object.assign(document.createElement("p"), { textContent: found.words.join(" "), className: "small", id: "cause" }));
  for (const match of found.matches) {
    const address = `${look.dataset.lot}/images/${encodeURIComponent(match.image_id)}`;
    place.append(figure(`${address}/crop/${match.patch}`, gettext("%(path)s, distance %(distance)s", { path: match.path, distance: number(match.distance, 4) }), address));
  }
  if (found.reason) place.append(Object.assign(document.createElement("p"), { textContent: found.reason, className: "quiet small" }));
}

const typing = (target) => target.matches("textarea, select, input:not([type=range], [type=checkbox])");
const actions = {
  d: () => verdicts.give("defective"), g: () => verdicts.give("good"), u: () => verdicts.give("unsure"),
  Backspace: () => verdicts.withdraw(),
  n: () => get("note").focus(),
  b: () => drawing.choose("box"), o: () => drawing.choose("outline"),
  h: () => { get("heat").hidden = !get("heat").hidden; },
  "+": () => viewer.zoom(1.5), "=": () => viewer.zoom(1.5), "-": () => viewer.zoom(1 / 1.5),
  0: () => viewer.fit(), f: () => viewer.full(),
  ArrowLeft: () => get("prev")?.click(), ArrowRight: () => get("next")?.click(),
};
const MOVES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

document.addEventListener("keydown", (event) => {
  if (!typing(event.target) && event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
    event.preventDefault();
    verdicts.undo();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (drawing.key(event) || ignoring.key(event)) { event.preventDefault(); return; }
  if (!get("keys").checked) return;
  if (event.shiftKey && MOVES[event.key]) {
    viewer.move(80 * MOVES[event.key][0], 80 * MOVES[event.key][1]);
    event.preventDefault();
    return;
  }
  if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = actions[key] ?? verdicts.kinds.action(key);
  if (!action || event.repeat && !"+-=".includes(event.key)) return;
  event.preventDefault();
  action();
});

const keys = get("keys"), goOn = get("go-on");
keys.checked = localStorage.getItem("musc-keys") !== "off";
keys.addEventListener("change", () => localStorage.setItem("musc-keys", keys.checked ? "on" : "off"));
// Through a morning's work one goes from image to image, unless one has said otherwise.
goOn.checked = (localStorage.getItem("musc-go-on") ?? ("work" in look.dataset ? "on" : "off")) === "on";
goOn.addEventListener("change", () => localStorage.setItem("musc-go-on", goOn.checked ? "on" : "off"));

loadMap();
loadMatches().finally(() => loadSimilar(look.dataset.base, get("alike-places"), figure));
share(look, () => verdicts.reviewer.name);
