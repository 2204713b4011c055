// The queue of flagged clips at the left: filters, list, progress.
import { byId, element, signal, state } from "../../core/html/base.js";
import { ask } from "../shared/asking.js";
import { amount, precisionText } from "../shared/counts.js";

const LISTED = 120; // rows of the list around the current one; a queue may hold thousands
export const MARKS = { keep: "✓", reject: "✕", "": "·" };
export const review = { queue: [], shown: [], current: -1 }; // all clips, those that pass the filters, place in queue
export const clipChosen = signal(); // its place in the queue

export const currentClip = () => review.queue[review.current];

export function filter() {
  const reason = byId("reason").value, undecided = byId("open").checked;
  review.shown = review.queue.filter((clip) => (!reason || clip.reasons.some(([name]) => name === reason)) && (!undecided || !clip.decision));
}
export function list() {
  const { queue, shown } = review, names = (clip) => clip.reasons.map(([name]) => name).join(", ");
  const at = Math.max(0, shown.indexOf(currentClip())), from = Math.max(0, Math.min(at - LISTED / 2, shown.length - LISTED));
  const rows = shown.slice(from, from + LISTED).map((clip) => {
    const button = element("button", { type: "button" },
      element("span", { className: clip.decision, textContent: MARKS[clip.decision] }),
      element("span", { className: "title", textContent: clip.name }),
      element("span", { className: "why", textContent: names(clip) }));
    button.setAttribute("aria-current", String(clip === currentClip()));
    button.addEventListener("click", () => clipChosen.emit(queue.indexOf(clip)));
    return element("li", {}, button);
  });
  const rest = shown.length - from - rows.length;
  if (rest > 0) rows.push(element("li", { className: "more", textContent: `and ${amount(rest)} more` }));
  byId("list").replaceChildren(...rows);
  byId("list").querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" });
  const decided = queue.filter((clip) => clip.decision).length;
  Object.assign(state, { decided, left: queue.length - decided });
  const place = shown.indexOf(currentClip()) + 1;
  byId("progress").textContent = `${place ? `clip ${place} of ${shown.length}, ` : ""}${decided} of ${queue.length} decided`;
  byId("meter").style.width = `${queue.length ? (100 * decided) / queue.length : 0}%`;
}
// How precise each reason is by the decisions, and how many more settle it.
export async function listPrecisions() {
  const precisions = await ask("api/precisions");
  byId("precision").hidden = !precisions.length;
  byId("precisions").replaceChildren(...precisions.map((precision) => element("li", { textContent: precisionText(precision, "rejected", "decision") })));
}
export function listReasons() {
  const { queue } = review, counts = new Map();
  queue.forEach((clip) => clip.reasons.forEach(([name]) => counts.set(name, (counts.get(name) ?? 0) + 1)));
  const options = [...counts].sort((a, b) => b[1] - a[1]).map(([name, many]) => element("option", { value: name, textContent: `${name} (${many})` }));
  byId("reason").replaceChildren(element("option", { value: "", textContent: `any (${queue.length})` }), ...options);
}
