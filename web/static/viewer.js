// Zoom and pan: wheel, two fingers, drag, buttons and keys. The scene keeps the image's own pixels and is scaled as one.
const LARGEST = 16;

export class Viewer {
  constructor(stage, scene, size, told) {
    Object.assign(this, { stage, scene, size, told, scale: 1, x: 0, y: 0, fitting: true, pointers: new Map(), draw: null });
    scene.style.width = `${size.width}px`;
    scene.style.height = `${size.height}px`;
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), ...this.#place(event));
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#moved(event));
    for (const kind of ["pointerup", "pointercancel"]) stage.addEventListener(kind, (event) => this.#up(event));
    stage.addEventListener("dblclick", (event) => this.zoom(2, ...this.#place(event)));
    new ResizeObserver(() => (this.fitting ? this.fit() : this.#apply())).observe(stage);
    this.fit();
  }

  get least() { return Math.min(this.stage.clientWidth / this.size.width, this.stage.clientHeight / this.size.height); }

  fit() {
    this.scale = this.least || 1;
    this.x = (this.stage.clientWidth - this.scale * this.size.width) / 2;
    this.y = (this.stage.clientHeight - this.scale * this.size.height) / 2;
    this.fitting = true;
    this.#apply();
  }

  full() { this.zoom(1 / this.scale); }

  zoom(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const next = Math.min(Math.max(this.scale * factor, Math.min(this.least, 1)), LARGEST);
    this.x = x - ((x - this.x) * next) / this.scale;
    this.y = y - ((y - this.y) * next) / this.scale;
    this.scale = next;
    this.fitting = false;
    this.#apply();
  }

  move(x, y) {
    this.x += x;
    this.y += y;
    this.fitting = false;
    this.#apply();
  }

  // A place on the stage in pixels of the image.
  pixel(event) {
    const [x, y] = this.#place(event);
    const within = (value, most) => Math.min(Math.max(value, 0), most);
    return [within((x - this.x) / this.scale, this.size.width), within((y - this.y) / this.scale, this.size.height)];
  }

  #place(event) {
    const frame = this.stage.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  #apply() {
    const within = (start, length, whole) =>
      length <= whole ? (whole - length) / 2 : Math.min(0, Math.max(whole - length, start));
    this.x = within(this.x, this.scale * this.size.width, this.stage.clientWidth);
    this.y = within(this.y, this.scale * this.size.height, this.stage.clientHeight);
    this.scene.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.scene.classList.toggle("close", this.scale >= 3);
    this.told(this.scale);
  }

  #down(event) {
    if (event.button > 0) return;
    this.stage.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.#place(event));
    if (this.draw && this.pointers.size === 1) this.draw.begin(this.pixel(event));
  }

  #moved(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#place(event);
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]);
      this.zoom(apart(now) / Math.max(1, apart(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (this.draw) this.draw.extend(this.pixel(event));
    else this.move(now[0] - before[0], now[1] - before[1]);
    this.pointers.set(event.pointerId, now);
  }

  #up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.draw && !this.pointers.size) this.draw.end();
  }
}
