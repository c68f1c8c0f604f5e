// What the slider's threshold would have listed in the last nights, and choosing it for the next ones.
import { day, gettext, number } from "./language.js";
import { Reviewer } from "./reviewer.js";
import { send } from "./send.js";

const WAIT_MS = 120;
const get = (id) => document.getElementById(id);

export class Nights {
  constructor(place) {
    Object.assign(this, { place, threshold: null, timer: 0, asked: 0 });
    const reviewer = new Reviewer(get("chooser"), (text, wrong) => this.#say(text, wrong));
    get("choose").addEventListener("click", () => {
      const threshold = this.threshold;
      reviewer.ask(gettext("from %(score)s on images of the next nights are flagged", { score: number(threshold, 4) }), (name) => this.#choose(threshold, name));
    });
    get("to-rule").addEventListener("click", () => reviewer.ask(gettext("the rule decides again"), (name) => this.#choose(null, name)));
  }

  // Shows what a threshold would have listed; while the slider moves only its last place is asked for.
  show(threshold) {
    this.threshold = threshold;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#load(threshold).catch(() => this.#say(gettext("The last nights could not be loaded."), true)), WAIT_MS);
  }

  async #load(threshold) {
    const asked = ++this.asked;
    const answer = await fetch(`${this.place.dataset.nights}?threshold=${threshold}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const { nights } = await answer.json();
    if (asked !== this.asked) return;
    const rows = nights.map((night) => {
      const row = document.createElement("tr"), head = document.createElement("th"), link = document.createElement("a");
      head.scope = "row";
      link.textContent = day(night.date);
      link.title = night.lot;
      link.href = this.place.dataset.nights.replace(/[^/]*\/nights\.json$/, encodeURIComponent(night.run));
      head.append(link);
      const counts = ["images", "listed", "found", "missed", "false", "then"].map((name) =>
        Object.assign(document.createElement("td"), { className: "number", textContent: number(night[name]) }));
      row.append(head, ...counts);
      return row;
    });
    get("nights").replaceChildren(...rows);
    get("choose").disabled = false;
  }

  async #choose(threshold, name) {
    try {
      const used = await send(this.place.dataset.choose, { threshold, name });
      get("threshold-in-use").textContent = used.text;
      get("to-rule").disabled = !used.own;
      this.#say(used.own ? gettext("From %(score)s on, from the next night on.", { score: number(threshold, 4) }) : gettext("The rule decides, from the next night on."));
    } catch (error) { this.#say(gettext("Not stored: %(reason)s", { reason: error.message }), true); }
  }

  #say(text, wrong = false) {
    get("chosen").textContent = text;
    get("chosen").classList.toggle("error", wrong);
  }
}
