// Places that a person draws: boxes and outlines, in pixels of the image, by pointer or by keys.
import { gettext } from "./language.js";

const SVG = "http://www.w3.org/2000/svg", MAX_POINTS = 500, NEAR = 2;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const boxOf = ([x1, y1], [x2, y2]) => {
  const [left, right, top, bottom] = [Math.min(x1, x2), Math.max(x1, x2), Math.min(y1, y2), Math.max(y1, y2)];
  return [[left, top], [right, top], [right, bottom], [left, bottom]];
};

export class Drawing {
  constructor(viewer, layer, list, size, buttons, kinds = ["drawn-under", "drawn"]) {
    Object.assign(this, { viewer, layer, list, size, buttons, kinds, past: [], regions: [], tool: null, points: [], held: null, changed: () => {} });
    for (const tool of Object.keys(buttons)) buttons[tool].addEventListener("click", () => this.choose(tool));
    this.#show();
  }

  choose(tool) {
    if (this.viewer.draw && this.viewer.draw !== this) this.viewer.draw.choose(this.viewer.draw.tool);  // one at a time
    this.tool = this.tool === tool ? null : tool;
    this.points = [];
    this.held = null;
    this.viewer.draw = this.tool && this;
    this.viewer.stage.classList.toggle("drawing", Boolean(this.tool));
    for (const [name, button] of Object.entries(this.buttons)) button.setAttribute("aria-pressed", String(name === this.tool));
    if (this.tool) this.viewer.stage.focus({ preventScroll: true });
    this.#show();
  }

  set(regions) {
    this.regions = structuredClone(regions);
    this.past = [];
    this.#show();
  }

  // Takes back the last place drawn or removed.
  undo() {
    if (!this.past.length) return;
    this.regions = this.past.pop();
    this.#show();
    this.changed();
  }

  #keep() { this.past.push([...this.regions]); }

  begin(point) { this.points = [point]; this.held = null; }

  extend(point) {
    if (!this.points.length) return;
    if (this.tool === "box") this.points[1] = point;
    else {
      const [x, y] = this.points.at(-1);
      if (Math.hypot(point[0] - x, point[1] - y) * this.viewer.scale >= NEAR && this.points.length < MAX_POINTS) this.points.push(point);
    }
    this.#show();
  }

  end() {
    const region = this.#region();
    this.points = [];
    if (region) this.#add(region);
    else this.#show();
  }

  // A box by keys: it appears in the middle of what is seen. True if the key was meant for it.
  key(event) {
    if (!this.tool) return false;
    if (event.key === "Escape") { this.choose(this.tool); return true; }
    if (this.tool !== "box" || event.target !== this.viewer.stage) return false;
    const step = STEPS[event.key];
    if (!step && event.key !== "Enter") return false;
    this.held ??= this.#inView();
    if (event.key === "Enter") {
      this.points = [this.held.slice(0, 2), [this.held[0] + this.held[2], this.held[1] + this.held[3]]];
      this.held = null;
      this.end();
      return true;
    }
    const by = 10 / this.viewer.scale, [x, y, width, height] = this.held;
    const within = (value, least, most) => Math.min(Math.max(value, least), most);
    this.held = event.shiftKey
      ? [x, y, within(width + step[0] * by, 2, this.size.width - x), within(height + step[1] * by, 2, this.size.height - y)]
      : [within(x + step[0] * by, 0, this.size.width - width), within(y + step[1] * by, 0, this.size.height - height), width, height];
    this.#show();
    return true;
  }

  #inView() {
    const { viewer } = this, width = viewer.stage.clientWidth / viewer.scale / 5, height = viewer.stage.clientHeight / viewer.scale / 5;
    const x = (viewer.stage.clientWidth / 2 - viewer.x) / viewer.scale - width / 2;
    const y = (viewer.stage.clientHeight / 2 - viewer.y) / viewer.scale - height / 2;
    return [Math.max(0, x), Math.max(0, y), Math.min(width, this.size.width), Math.min(height, this.size.height)];
  }

  #region() {
    if (this.tool === "box") {
      if (this.points.length < 2) return null;
      const points = boxOf(...this.points);
      return points[1][0] - points[0][0] >= 1 && points[2][1] - points[1][1] >= 1 ? { shape: "box", points } : null;
    }
    return this.points.length >= 3 ? { shape: "outline", points: this.points } : null;
  }

  #add(region) {
    this.#keep();
    this.regions.push({ shape: region.shape, points: region.points.map((point) => point.map((value) => Math.round(10 * value) / 10)) });
    this.#show();
    this.changed();
  }

  #show() {
    const held = this.held && boxOf(this.held.slice(0, 2), [this.held[0] + this.held[2], this.held[1] + this.held[3]]);
    const current = held ?? (this.tool === "box" && this.points.length > 1 ? boxOf(...this.points) : this.points);
    this.layer.replaceChildren(...[...this.regions.map((region) => region.points), current].filter((points) => points.length > 1).flatMap((points) =>
      this.kinds.map((kind) => {
        const shape = document.createElementNS(SVG, "polygon");
        shape.setAttribute("class", kind);
        shape.setAttribute("points", points.map((point) => point.join(",")).join(" "));
        return shape;
      })));
    this.list.replaceChildren(...this.regions.map((region, index) => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      const name = region.shape === "box" ? gettext("box %(number)s", { number: index + 1 }) : gettext("outline %(number)s", { number: index + 1 });
      button.textContent = `${name} ✕`;
      button.setAttribute("aria-label", gettext("Remove %(shape)s", { shape: name }));
      button.addEventListener("click", () => { this.#keep(); this.regions.splice(index, 1); this.#show(); this.changed(); });
      item.append(button);
      return item;
    }), ...(this.regions.length ? [] : [Object.assign(document.createElement("li"), { textContent: gettext("none"), className: "quiet" })]));
  }
}
