// Verdicts: sent to the store one by one, shown with everybody's earlier ones. Nothing typed is lost if sending fails.
import { capital, gettext, moment } from "./language.js";
import { inWords, KindChoice } from "./kind_choice.js";
import { Reviewer } from "./reviewer.js";
import { send, sendOnce } from "./send.js";

const get = (id) => document.getElementById(id);
const WORDS = { defective: gettext("defective"), good: gettext("good"), unsure: gettext("unsure"), withdrawn: gettext("taken back") };
const words = (said) => inWords(WORDS[said.verdict], said);

export class Verdicts {
  constructor(base, drawing, known, after) {
    Object.assign(this, { base, drawing, known, after, sending: false });
    this.reviewer = new Reviewer(get("name"), (text, wrong) => this.#say(text, wrong));
    for (const button of document.querySelectorAll("[data-verdict]")) {
      button.addEventListener("click", () => this.give(button.dataset.verdict));
    }
    this.kinds = new KindChoice((kind) => this.give("defective", kind), (text) => this.#say(text));
    this.kinds.severity = known.current?.severity ?? "";
    get("withdraw").addEventListener("click", () => this.withdraw());
    drawing.changed = () => this.#say(gettext("Stored with the next verdict."));
    drawing.set(known.current?.regions ?? []);
    this.#show();
    const left = sessionStorage.getItem("musc-said");
    if (left) this.#say(left);
    sessionStorage.removeItem("musc-said");
  }

  // Goes to another page, on which what was stored here is still said.
  leave(link) {
    sessionStorage.setItem("musc-said", gettext("%(said)s. Ctrl-Z undoes.", {
      said: `${document.querySelector("h1").textContent}: ${words(this.known.current ?? { verdict: "withdrawn" })}`,
    }));
    link.click();
  }

  // Undoes the person's last verdicts about the lot, on whichever image, and shows this page as it is then.
  undo() {
    this.reviewer.ask(gettext("your last verdict is undone"), async (name) => {
      try {
        const done = await send(`${this.base.split("/images/")[0]}/undo`, { action: "", name });
        sessionStorage.setItem("musc-said", gettext("%(said)s.", { said: capital(done.said) }));
        location.reload();
      } catch (error) { this.#say(gettext("Not undone: %(reason)s", { reason: error.message }), true); }
    });
  }

  withdraw() { if (this.known.current) this.give("withdrawn"); }

  give(verdict, kind = "") {
    const severity = verdict === "defective" ? this.kinds.severity : "", said = { verdict, kind, severity };
    const what = verdict === "withdrawn" ? gettext("the verdict is taken back") : gettext("the image is judged %(verdict)s", { verdict: words(said) });
    this.reviewer.ask(what, (name) => this.#send(said, name));
  }

  async #send(said, name) {
    if (this.sending) return;
    this.sending = true;
    const { verdict } = said, before = this.known.all.length, regions = verdict === "defective" ? this.drawing.regions : [];
    try {
      this.known = await sendOnce(`${this.base}/verdicts`, { ...said, name, note: get("note").value, regions });
    } catch (error) {
      this.#say(gettext("Not stored: %(reason)s", { reason: error.message }), true);
      return;
    } finally { this.sending = false; }
    get("note").value = "";
    const others = this.known.all.slice(before, -1).filter((one) => one.name !== name);
    const theirs = others.map((one) => gettext("%(name)s said %(verdict)s", { name: one.name, verdict: words(one) })).join(", ");
    const told = theirs ? gettext("Meanwhile %(said)s; both are kept, yours counts.", { said: theirs }) : "";
    const stored = verdict === "withdrawn" ? gettext("Taken back.") : gettext("Stored: %(verdict)s.", { verdict: words(said) });
    this.#show();
    this.#say(`${stored} ${told}`.trim());
    this.after();
  }

  #say(text, wrong = false) {
    get("said").textContent = text;
    get("said").classList.toggle("error", wrong);
  }

  #show() {
    const current = this.known.current;
    for (const button of document.querySelectorAll("[data-verdict]")) {
      button.setAttribute("aria-pressed", String(button.dataset.verdict === current?.verdict));
    }
    this.kinds.show(current?.kind || null);
    get("withdraw").hidden = !current;
    const items = [...this.known.all].reverse().map((one) => {
      const item = document.createElement("li"), badge = document.createElement("span"), time = document.createElement("time");
      badge.className = `badge ${one.verdict === "withdrawn" ? "plain" : one.verdict}`;
      badge.textContent = words(one);
      time.dateTime = one.time;
      time.textContent = moment(new Date(one.time));
      item.classList.toggle("overruled", one.verdict_id !== current?.verdict_id);
      item.append(badge, ` ${one.name}, `, time);
      const more = [];
      if (one.at_once > 1) more.push(gettext("with %(count)s others", { count: one.at_once - 1 }));
      if (!one.looked) more.push(gettext("not looked at"));
      if (one.undone_by) more.push(gettext("undone by %(name)s", { name: one.undone_by }));
      if (one.regions.length) more.push(gettext("%(count)s drawn", { count: one.regions.length }));
      for (const text of more) item.append(`, ${text}`);
      if (one.note) item.append(document.createElement("br"), one.note);
      return item;
    });
    get("history").replaceChildren(...(items.length ? items : [Object.assign(document.createElement("li"), { textContent: gettext("none yet"), className: "quiet" })]));
  }
}
