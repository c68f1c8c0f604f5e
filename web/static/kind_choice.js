// Kinds and severity beside the verdicts: a button or a key of a kind judges as defective, severity goes with what is judged next.
import { gettext } from "./language.js";

const WORDS = { "": gettext("none"), minor: gettext("minor"), major: gettext("major"), critical: gettext("critical") };

export class KindChoice {
  // Calls `judge` with the name of the kind that is chosen.
  constructor(judge, say) {
    this.judge = judge;
    this.say = say;
    this.select = document.getElementById("severity");
    this.buttons = [...document.querySelectorAll("[data-kind]")];
    for (const button of this.buttons) button.addEventListener("click", () => judge(button.dataset.kind));
  }

  get severity() { return this.select.value; }
  set severity(value) { this.select.value = value; }

  // What a key does; undefined for one that is none of the list's.
  action(key) {
    if (key === "m") return () => this.step();
    const button = /^[1-9]$/.test(key) && this.buttons.find((one) => one.dataset.key === key);
    return button ? () => this.judge(button.dataset.kind) : undefined;
  }

  step() {
    this.select.selectedIndex = (this.select.selectedIndex + 1) % this.select.options.length;
    this.say(gettext("Severity: %(severity)s, stored with the next defective verdict.", { severity: WORDS[this.severity] }));
  }

  show(kind) {
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  }
}

// A verdict with kind and severity, where it has them.
export const inWords = (word, { kind, severity }) => [word, kind, severity && WORDS[severity]].filter(Boolean).join(", ");
