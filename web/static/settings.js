// Settings of a product: accept what a tuning found, or go back to the default ones.
import { gettext } from "./language.js";
import { send } from "./send.js";

const root = new URL("..", import.meta.url);

for (const button of document.querySelectorAll("button[data-settings]")) {
  const box = button.closest("[data-category]");
  const said = box.querySelector(".settings-said");
  button.addEventListener("click", async () => {
    const name = box.querySelector("input").value.trim();
    said.classList.remove("error");
    try {
      const content = { category: box.dataset.category, tuning: button.dataset.settings, name };
      const answer = await send(new URL("settings", root), content);
      box.querySelector(".settings-used").textContent = answer.in_use;
      said.textContent = gettext("Saved. In use from the next lot on: %(settings)s.", { settings: answer.in_use });
    } catch (error) {
      said.textContent = gettext("Not saved: %(reason)s", { reason: error.message });
      said.classList.add("error");
    }
  });
}
