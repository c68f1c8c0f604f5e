// Places to ignore in every photograph of a product: drawn, taken back, saved; nothing drawn is lost if saving fails.
import { gettext } from "./language.js";
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
      this.#say(gettext("Type your name once, so that others know who draws."), true);
      get("name").focus();
      return;
    }
    if (this.saving) return;
    this.saving = true;
    const before = this.changes;
    try {
      this.known = await send(`${this.base}/ignored`, { name, saved: this.known.saved, regions: this.drawing.regions });
      if (this.changes !== before) return this.#say(gettext("Not saved yet: drawn while the save was under way."));
      this.drawing.set(this.known.regions);
      get("ignore-undo").disabled = true;
      this.#told(true);
    } catch (error) {
      this.#say(gettext("Not saved: %(reason)s", { reason: error.message }), true);
    } finally { this.saving = false; }
  }

  #changed() {
    this.changes += 1;
    get("ignore-undo").disabled = !this.drawing.past.length;
    this.#say(gettext("Not saved yet."));
  }

  #told(now = false) {
    const { saved, regions, used, name } = this.known;
    if (!saved) return this.#say("");
    const what = !regions.length ? gettext("Nothing is ignored.") : used
      ? gettext("This run left these places out.")
      : gettext("This run did not leave these places out; the next one with --ignore-drawn does.");
    const who = now ? gettext("Saved.") : regions.length ? gettext("Saved by %(name)s.", { name }) : "";
    this.#say(`${who} ${what}`.trim());
  }

  #say(text, wrong = false) {
    get("ignored-said").textContent = text;
    get("ignored-said").classList.toggle("error", wrong);
  }
}
