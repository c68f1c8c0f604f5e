// The name of whoever judges: typed once, kept by the browser. What needs it waits until it is typed.
import { gettext } from "./language.js";

export class Reviewer {
  constructor(field, say) {
    Object.assign(this, { field, say, waiting: null });
    const kept = localStorage.getItem("musc-name");
    if (kept) field.value = kept;
    field.addEventListener("change", () => {
      localStorage.setItem("musc-name", this.name);
      this.#go();
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        if (this.name) field.blur();
      } else if (event.key === "Escape" && this.waiting) {
        this.waiting = null;
        say(gettext("Nothing was stored."));
      }
    });
  }

  get name() { return this.field.value.trim(); }

  // Does something under the reviewer's name, now or as soon as it is typed.
  ask(what, action) {
    if (this.name) { action(this.name); return; }
    this.waiting = action;
    this.before = document.activeElement;
    this.say(gettext("Type your name and press Enter, so that others know who decided: then %(what)s. Esc drops it.", { what }), true);
    this.field.focus();
  }

  #go() {
    const action = this.waiting;
    if (!action || !this.name) return;
    this.waiting = null;
    this.before.focus();
    action(this.name);
  }
}
