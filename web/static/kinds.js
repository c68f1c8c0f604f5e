// The list of kinds of a product: rows are added, removed and saved together; nothing typed is lost if saving fails.
import { gettext } from "./language.js";
import { Reviewer } from "./reviewer.js";
import { send } from "./send.js";

const COLOURS = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c564b", "#4d4d4d"];
const get = (id) => document.getElementById(id);
const form = get("kinds"), rows = get("kind-rows");
const field = (row, name) => row.querySelector(`[data-field=${name}]`);

function say(text, wrong = false) {
  get("said").textContent = text;
  get("said").classList.toggle("error", wrong);
}
const reviewer = new Reviewer(get("name"), say);

// A new kind gets the first key and the first colour that no other has.
function add() {
  const known = [...rows.children], used = (name) => new Set(known.map((row) => field(row, name).value));
  rows.append(get("new-kind").content.cloneNode(true));
  const row = rows.lastElementChild, keys = used("key"), colours = used("colour");
  field(row, "key").value = [..."123456789"].find((key) => !keys.has(key)) ?? "";
  field(row, "colour").value = COLOURS.find((colour) => !colours.has(colour)) ?? "#808080";
  field(row, "name").focus();
}

async function save(name) {
  const kinds = [...rows.children].map((row) =>
    Object.fromEntries(["name", "key", "colour", "description"].map((one) => [one, field(row, one).value])));
  try {
    const answer = await send(form.dataset.address, { name, saved: form.dataset.saved, kinds });
    form.dataset.saved = answer.saved;
    say(gettext("Saved."));
  } catch (error) { say(gettext("Not saved: %(reason)s", { reason: error.message }), true); }
}

get("add-kind").addEventListener("click", add);
rows.addEventListener("click", (event) => {
  if (!event.target.closest("[data-remove]")) return;
  event.target.closest(".kind").remove();
  say(gettext("Not saved yet."));
  get("add-kind").focus();
});
rows.addEventListener("input", () => say(gettext("Not saved yet.")));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  reviewer.ask(gettext("the list is saved"), save);
});
if (!rows.children.length) add();
