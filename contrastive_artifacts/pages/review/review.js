// The review page: decisions, keys and buttons. The page stores nothing: each decision is written by the server before
// the next clip opens.
import { byId, darkQuery, fillFacts, state } from "../../core/html/base.js";
import { ask, guarded, say, trouble } from "../shared/asking.js";
import { bound, isTaken, keyOf, keyRow, keySheet } from "../shared/keys.js";
import { about, moveSlice, open, paint, play, rescale, slice } from "./clip.js";
import { currentClip, filter, listPrecisions, listReasons, review } from "./queue.js";

let busy = false; // one decision at a time: a key pressed twice is not two decisions

// ---- decisions ---------------------------------------------------------------------------------------------------
const decide = guarded(async (decision) => {
  const clip = currentClip();
  if (!clip || busy) return;
  busy = true;
  try {
    const note = byId("note").value.trim();
    await ask("api/decisions", { id: clip.id, decision, note });
    Object.assign(clip, { decision, note, by: about.who });
    await listPrecisions();
  } finally { busy = false; }
  const { queue, shown } = review, at = shown.indexOf(clip);
  const next = [...shown.slice(at + 1), ...shown.slice(0, at)].find((other) => !other.decision);
  filter();
  open(queue.indexOf(next ?? review.shown[Math.min(at, review.shown.length - 1)] ?? clip));
  say(`${clip.name}: ${decision}. ${byId("say").textContent}`);
  if (next && byId("onwards").checked) play(0);
});
const undo = guarded(async () => {
  if (busy) return;
  busy = true;
  let name;
  try {
    ({ name } = await ask("api/undo", {}));
    if (name === null) { trouble("There is nothing left to undo."); return; }
    review.queue = await ask("api/queue");
    await listPrecisions();
  } finally { busy = false; }
  filter();
  const place = review.queue.findIndex((clip) => clip.name === name);
  open(place >= 0 ? place : review.current);
  say(`${name}: decision undone.`);
});
const publish = guarded(async () => {
  const manifest = await ask("api/manifest", {});
  byId("publish").textContent = `Version ${manifest.version} written`;
  say(`Manifest version ${manifest.version}: ${manifest.keep} clips to keep, ${manifest.reject} rejected.`);
  setTimeout(() => { byId("publish").textContent = "Write manifest"; }, 4000);
});
function move(by) {
  const { queue, shown } = review, at = shown.indexOf(currentClip()), to = shown[Math.min(Math.max(at + by, 0), shown.length - 1)];
  if (to && to !== currentClip()) open(queue.indexOf(to));
}

// ---- keys and buttons --------------------------------------------------------------------------------------------
const KEYS = {
  ...bound({
    play: () => play(), next: () => move(1), previous: () => move(-1), earlier: () => moveSlice(-1), later: () => moveSlice(1), scale: rescale,
    keep: () => decide("keep"), reject: () => decide("reject"), undo, note: () => byId("note").focus(),
    help: keySheet([keyRow("play"), keyRow("next", "next clip (or ↓)"), keyRow("previous", "previous clip (or ↑)"), keyRow("earlier"), keyRow("later"), keyRow("scale"),
      keyRow("keep"), keyRow("reject"), keyRow("undo"), keyRow("note"), ["Esc", "back from the note"], keyRow("help")]),
  }),
  ArrowDown: () => move(1), ArrowRight: () => move(1), ArrowUp: () => move(-1), ArrowLeft: () => move(-1),
};
document.addEventListener("keydown", (event) => {
  if (isTaken(event)) return;
  if (event.target === byId("note")) {
    if (event.key === "Escape" || event.key === "Enter") { event.preventDefault(); byId("note").blur(); }
    return;
  }
  if (event.target.closest?.("select") || (event.key === " " && event.target.closest?.("button, input"))) return;
  const key = keyOf(event);
  if (!KEYS[key] || (!currentClip() && !["u", "?"].includes(key)) || (event.repeat && !key.startsWith("Arrow"))) return;
  event.preventDefault();
  KEYS[key]();
});
byId("keep").addEventListener("click", () => decide("keep"));
byId("reject").addEventListener("click", () => decide("reject"));
byId("undo").addEventListener("click", undo);
byId("play").addEventListener("click", () => play());
byId("scale").addEventListener("click", rescale);
byId("earlier").addEventListener("click", () => moveSlice(-1));
byId("later").addEventListener("click", () => moveSlice(1));
byId("publish").addEventListener("click", publish);
for (const name of ["reason", "open"]) {
  byId(name).addEventListener("change", () => {
    filter();
    const { queue, shown } = review;
    open(queue.indexOf(shown.includes(currentClip()) ? currentClip() : shown[0]));
  });
}
document.querySelector(".stage").addEventListener("click", (event) => {
  const box = byId("wave").getBoundingClientRect(), { picture } = slice;
  if (picture) play(((event.clientX - box.left) / box.width) * (picture.samples / picture.rate));
});
darkQuery.addEventListener("change", paint);
new ResizeObserver(paint).observe(byId("wave"));

// ---- start -------------------------------------------------------------------------------------------------------
fillFacts(byId("facts"), [["clips", about.clips.toLocaleString("en")], ["reviewer", about.who]]);
guarded(async () => {
  review.queue = await ask("api/queue");
  listReasons();
  await listPrecisions();
  filter();
  const first = review.shown.find((clip) => !clip.decision) ?? review.shown[0];
  open(review.queue.indexOf(first));
  state.ready = review.queue.length;
})();
