// Verdicts: sent to the store one by one, shown with everybody's earlier ones. Nothing typed is lost if sending fails.
import { Reviewer } from "./reviewer.js";
import { send } from "./send.js";

const get = (id) => document.getElementById(id);
const WORDS = { defective: "defective", good: "good", unsure: "unsure", withdrawn: "taken back" };

export class Verdicts {
  constructor(base, drawing, known, after) {
    Object.assign(this, { base, drawing, known, after, sending: false });
    this.reviewer = new Reviewer(get("name"), (text, wrong) => this.#say(text, wrong));
    for (const button of document.querySelectorAll("[data-verdict]")) {
      button.addEventListener("click", () => this.give(button.dataset.verdict));
    }
    get("withdraw").addEventListener("click", () => this.withdraw());
    drawing.changed = () => this.#say("Stored with the next verdict.");
    drawing.set(known.current?.regions ?? []);
    this.#show();
    const left = sessionStorage.getItem("musc-said");
    if (left) this.#say(left);
    sessionStorage.removeItem("musc-said");
  }

  // Goes to another page, on which what was stored here is still said.
  leave(link) {
    sessionStorage.setItem("musc-said", `${document.querySelector("h1").textContent}: ${this.known.current?.verdict ?? "taken back"}. Ctrl-Z undoes.`);
    link.click();
  }

  // Undoes the person's last verdicts about the lot, on whichever image, and shows this page as it is then.
  undo() {
    this.reviewer.ask("your last verdict is undone", async (name) => {
      try {
        const done = await send(`${this.base.split("/images/")[0]}/undo`, { action: "", name });
        sessionStorage.setItem("musc-said", `${done.said[0].toUpperCase()}${done.said.slice(1)}.`);
        location.reload();
      } catch (error) { this.#say(`Not undone: ${error.message}`, true); }
    });
  }

  withdraw() { if (this.known.current) this.give("withdrawn"); }

  give(verdict) {
    const what = verdict === "withdrawn" ? "the verdict is taken back" : `the image is judged ${verdict}`;
    this.reviewer.ask(what, (name) => this.#send(verdict, name));
  }

  async #send(verdict, name) {
    if (this.sending) return;
    this.sending = true;
    const before = this.known.all.length, regions = verdict === "defective" ? this.drawing.regions : [];
    try {
      this.known = await send(`${this.base}/verdicts`, { verdict, name, note: get("note").value, regions });
    } catch (error) {
      this.#say(`Not stored: ${error.message}`, true);
      return;
    } finally { this.sending = false; }
    get("note").value = "";
    const others = this.known.all.slice(before, -1).filter((one) => one.name !== name);
    const told = others.length ? ` Meanwhile ${others.map((one) => `${one.name} said ${WORDS[one.verdict]}`).join(", ")}; both are kept, yours counts.` : "";
    this.#show();
    this.#say(`${verdict === "withdrawn" ? "Taken back" : `Stored: ${WORDS[verdict]}`}.${told}`);
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
    get("withdraw").hidden = !current;
    const items = [...this.known.all].reverse().map((one) => {
      const item = document.createElement("li"), badge = document.createElement("span"), time = document.createElement("time");
      badge.className = `badge ${WORDS[one.verdict] === one.verdict ? one.verdict : "plain"}`;
      badge.textContent = WORDS[one.verdict];
      time.dateTime = one.time;
      time.textContent = new Date(one.time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
      item.classList.toggle("overruled", one.verdict_id !== current?.verdict_id);
      item.append(badge, ` ${one.name}, `, time);
      if (one.at_once > 1) item.append(`, with ${one.at_once - 1} others`);
      if (!one.looked) item.append(", not looked at");
      if (one.undone_by) item.append(`, undone by ${one.undone_by}`);
      if (one.regions.length) item.append(`, ${one.regions.length} drawn`);
      if (one.note) item.append(document.createElement("br"), one.note);
      return item;
    });
    get("history").replaceChildren(...(items.length ? items : [Object.assign(document.createElement("li"), { textContent: "none yet", className: "quiet" })]));
  }
}
