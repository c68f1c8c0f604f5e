// Which images of a lot are selected: by checkbox, click, Shift, a frame drawn with the mouse, or arrow keys.
export class Selection {
  constructor(place, lot, changed) {
    Object.assign(this, { place, key: `musc-selected ${lot}`, changed, anchor: null, clicking: false, drawn: false });
    this.ids = new Set(JSON.parse(sessionStorage.getItem(this.key) ?? "[]"));
    place.addEventListener("change", (event) => {
      const item = event.target.closest("[data-image]");
      if (!item || !event.target.matches(".pick")) return;
      this.set([item.dataset.image], event.target.checked);
      this.anchor = item;
    });
    place.addEventListener("click", (event) => this.#click(event), true);
    place.addEventListener("keydown", (event) => this.#key(event));
    place.addEventListener("pointerdown", (event) => this.#press(event));
    place.addEventListener("dragstart", (event) => { if (event.target.closest(".tile")) event.preventDefault(); });
  }

  get items() { return [...this.place.querySelectorAll("[data-image]")]; }

  // The image that has the focus, as an item of the page; null if none has it.
  get focused() { return this.place.contains(document.activeElement) ? document.activeElement.closest("[data-image]") : null; }

  set(ids, on) {
    for (const id of ids) {
      if (on) this.ids.add(id);
      else this.ids.delete(id);
    }
    this.#keep();
  }

  replace(ids) {
    this.ids = new Set(ids);
    this.#keep();
  }

  #keep() {
    sessionStorage.setItem(this.key, JSON.stringify([...this.ids]));
    this.show();
  }

  show() {
    for (const item of this.items) {
      const on = this.ids.has(item.dataset.image);
      item.classList.toggle("selected", on);
      item.querySelector(".pick").checked = on;
    }
    this.changed();
  }

  // All images between the one selected last and this one.
  #range(item) {
    const items = this.items, first = items.indexOf(this.anchor ?? item), last = items.indexOf(item);
    const [from, to] = first < last ? [first, last] : [last, first];
    this.set(items.slice(Math.max(0, from), to + 1).map((one) => one.dataset.image), true);
  }

  #click(event) {
    if (this.drawn) {  // the end of a frame is no click
      this.drawn = false;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const item = event.target.closest("[data-image]");
    if (!item || event.button > 0) return;
    if (event.shiftKey) {
      this.#range(item);
      this.anchor = item;
    } else if (event.target.matches(".pick") || !(event.ctrlKey || event.metaKey || this.clicking)) return;
    else {
      this.set([item.dataset.image], !this.ids.has(item.dataset.image));
      this.anchor = item;
    }
    event.preventDefault();
    item.querySelector("a").focus();
    if (event.target.matches(".pick")) setTimeout(() => this.show());  // after the browser put its own state back
  }

  #key(event) {
    const item = event.target.closest("[data-image]");
    if (!item || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " && !event.target.matches(".pick")) {
      this.set([item.dataset.image], !this.ids.has(item.dataset.image));
      this.anchor = item;
    } else if (event.key.startsWith("Arrow")) {
      const next = this.#beside(item, event.key);
      if (!next) return;
      if (event.shiftKey) {
        this.anchor ??= item;
        this.#range(next);
      } else this.anchor = next;
      next.querySelector("a").focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // The image that an arrow key leads to; rows of the grid are as long as the window lets them be.
  #beside(item, key) {
    const items = this.items, at = items.indexOf(item);
    const row = items.filter((one) => one.offsetTop === items[0].offsetTop).length;
    return items[at + { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[key]];
  }

  // A frame drawn with the mouse selects what it touches; fingers scroll.
  #press(event) {
    this.drawn = false;
    if (event.button > 0 || event.pointerType !== "mouse" || !event.target.closest(".tiles") || event.target.matches(".pick")) return;
    const began = [event.pageX, event.pageY], before = [...this.ids], frame = document.createElement("div");
    frame.className = "frame";
    const moved = (now) => {
      const [left, right] = [began[0], now.pageX].sort((a, b) => a - b), [top, bottom] = [began[1], now.pageY].sort((a, b) => a - b);
      if (!this.drawn && right - left + bottom - top < 10) return;
      if (!this.drawn) document.body.append(frame);
      this.drawn = true;
      Object.assign(frame.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
      const touched = this.items.filter((item) => {
        const box = item.getBoundingClientRect(), x = box.left + scrollX, y = box.top + scrollY;
        return x < right && x + box.width > left && y < bottom && y + box.height > top;
      });
      this.replace([...before, ...touched.map((item) => item.dataset.image)]);
      if (touched.length) this.anchor = touched.at(-1);
    };
    document.addEventListener("pointermove", moved);
    const end = () => {
      document.removeEventListener("pointermove", moved);
      frame.remove();
      setTimeout(() => { this.drawn = false; });
    };
    for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, end, { once: true });
  }
}
