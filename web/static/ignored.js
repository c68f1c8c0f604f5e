// Places to ignore in every photograph of a product: drawn, taken back, saved; nothing drawn is lost if saving fails.
import { send } from "./send.js";

const get = (id) => document.getElementById(id);

export class Ignored {
  constructor(base, drawing, known) {
    Object.assign(this, { base, drawing, known, saving: false, changes: 0 });
    drawing.set(known.regions);
    drawing.changed = () => this.#changed();
    get("ignore-undo").addEventListener("click", () => drawing.undo());
    get("ignore-save").addEventListener("click", () => this.save());
    this.#told();
  }

  async save() {
    const name = get("name").value.trim();
    if (!name) {
      this.#say("Type your name once, so that others know who draws.", true);
      get("name").focus();
      return;
    }
    if (this.saving) return;
    this.saving = true;
    const before = this.changes;
    try {
      this.known = await send(`${this.base}/ignored`, { name, saved: this.known.saved, regions: this.drawing.regions });
      if (this.changes !== before) return this.#say("Not saved yet: drawn while the save was under way.");
      this.drawing.set(this.known.regions);
      get("ignore-undo").disabled = true;
      this.#told("Saved. ");
    } catch (error) {
      this.#say(`Not saved: ${error.message}`, true);
    } finally { this.saving = false; }
  }

  #changed() {
    this.changes += 1;
    get("ignore-undo").disabled = !this.drawing.past.length;
    this.#say("Not saved yet.");
  }

  #told(before = "") {
    const { saved, regions, used, name } = this.known;
    if (!saved) return this.#say("");
    if (!regions.length) return this.#say(`${before}Nothing is ignored.`);
    const who = before ? "" : `Saved by ${name}. `;
    this.#say(`${before}${who}${used ? "This run left these places out." : "This run did not leave these places out; the next one with --ignore-drawn does."}`);
  }

  #say(text, wrong = false) {
    get("ignored-said").textContent = text;
    get("ignored-said").classList.toggle("error", wrong);
  }
}
