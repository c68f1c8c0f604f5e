// The threshold slider: how many images it would pull, and of the judged ones how many rightly.
import { gettext, ngettext, number } from "./language.js";
import { Nights } from "./nights.js";

const slider = document.querySelector(".slider");
const range = document.getElementById("threshold");
const low = Number(slider.dataset.low), high = Number(slider.dataset.high);
const runThreshold = Number(slider.dataset.threshold);
const STEPS = Number(range.max);

// How many of ascending values are at or above a limit.
function countFrom(values, limit) {
  let first = 0, last = values.length;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (values[middle] < limit) first = middle + 1;
    else last = middle;
  }
  return values.length - first;
}

function describe(scores, threshold) {
  const pulled = countFrom(scores.all, threshold);
  const right = countFrom(scores.defective, threshold), wrong = countFrom(scores.good, threshold);
  const missed = scores.defective.length - right;
  const judged = scores.defective.length + scores.good.length;
  const shown = { score: number(threshold, 4), share: number((100 * pulled) / scores.all.length, 1) };
  const all = ngettext("From %(score)s on: %(count)s image pulled (%(share)s %% of the lot).",
    "From %(score)s on: %(count)s images pulled (%(share)s %% of the lot).", pulled, shown);
  const unknown = gettext("No image is judged yet, so nothing is known about how many of them are defective.");
  if (!judged) return `${all} ${unknown}`;
  const alarms = ngettext("%(count)s false alarm", "%(count)s false alarms", wrong);
  const overlooked = ngettext("%(count)s missed defect", "%(count)s missed defects", missed);
  const outcome = ngettext("Of %(count)s judged image: %(right)s pulled rightly, %(wrong)s, %(missed)s.",
    "Of %(count)s judged images: %(right)s pulled rightly, %(wrong)s, %(missed)s.", judged, {
      right: number(right), wrong: alarms, missed: overlooked,
    });
  return `${all} ${outcome}`;
}

async function start() {
  const answer = await fetch(slider.dataset.scores);
  if (!answer.ok) throw new Error(gettext("the scores could not be loaded (%(status)s)", { status: answer.status }));
  const scores = await answer.json();
  const line = document.getElementById("threshold-line");
  const pulledLink = document.getElementById("show-pulled"), command = document.getElementById("command");
  const toRun = document.getElementById("to-run"), toSuggested = document.getElementById("to-suggested");

  const nights = document.getElementById("what-if") && new Nights(document.getElementById("what-if"));

  function show(threshold) {
    nights?.show(threshold);
    const across = (100 * (threshold - low)) / (high - low);
    for (const end of ["x1", "x2"]) line.setAttribute(end, across.toFixed(3));
    line.setAttribute("visibility", "visible");
    document.getElementById("counts").textContent = describe(scores, threshold);
    range.setAttribute("aria-valuetext", ngettext("%(score)s, %(count)s image pulled", "%(score)s, %(count)s images pulled", countFrom(scores.all, threshold), { score: number(threshold, 4) }));
    const address = new URL(pulledLink.href);
    address.searchParams.set("low", String(threshold));
    address.searchParams.delete("page");
    pulledLink.href = address.href;
    const moved = Math.abs(threshold - runThreshold) > 1e-9;
    pulledLink.hidden = false;
    command.hidden = toRun.hidden = !moved;
    command.querySelector("code").textContent = `--threshold ${threshold.toFixed(4)}`;
  }
  // The ends are the lowest and the highest score themselves, without what dividing rounds off.
  const at = (step) => (step >= STEPS ? high : low + ((high - low) * step) / STEPS);
  function set(threshold) {
    range.value = Math.round((STEPS * (threshold - low)) / (high - low));
    show(threshold);
  }
  range.disabled = false;
  range.addEventListener("input", () => show(at(Number(range.value))));
  toRun.addEventListener("click", () => { set(runThreshold); range.focus(); });
  toSuggested?.addEventListener("click", () => set(Number(slider.dataset.suggested)));
  set(runThreshold);
}
start().catch((error) => { document.getElementById("counts").textContent = gettext("Sorry: %(reason)s.", { reason: error.message }); });
