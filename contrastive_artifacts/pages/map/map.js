// The map: pointer, keys and buttons.
import { byId, darkQuery, fillFacts, state } from "../../core/html/base.js";
import { card, hover, select, shownOnCard } from "./card.js";
import { draw } from "./drawing.js";
import { filter, legend, showAll } from "./legend.js";
import { hovering, play, playing, ready, stop } from "./playing.js";
import { colouring, data, selection, shown } from "./points.js";
import { canvas, central, fit, nearest, neighbour, pan, reveal, view, zoom } from "./view.js";

// ---- pointer -----------------------------------------------------------------------------------------------------
const fingers = new Map();
let press = null;
const local = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, local(event));
  press = fingers.size === 1 ? { at: local(event), moved: false } : press && { ...press, moved: true };
});
canvas.addEventListener("pointermove", (event) => {
  const [px, py] = local(event), before = fingers.get(event.pointerId);
  if (!before) return hover(nearest(px, py), event.clientX, event.clientY);
  if (!press.moved && Math.hypot(px - press.at[0], py - press.at[1]) < 4) return undefined;
  press.moved = true;
  hover(-1);
  canvas.classList.add("dragging");
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  fingers.set(event.pointerId, [px, py]);
  if (other) return zoom(Math.hypot(px - other[0], py - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1])), ...other);
  return pan(px - before[0], py - before[1]);
});
function release(event) {
  fingers.delete(event.pointerId);
  if (fingers.size) return;
  canvas.classList.remove("dragging");
  if (press && !press.moved && event.type === "pointerup") {
    const i = nearest(...local(event));
    select(i);
    if (i >= 0) play(i);
    else stop();
  }
  press = null;
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", () => hover(-1));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 18 : 1;
  zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), ...local(event));
}, { passive: false });

// ---- keys --------------------------------------------------------------------------------------------------------
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const from = selection.selected >= 0 && shown[selection.selected] ? selection.selected : -1;
  if (ARROWS[event.key]) {
    const to = from < 0 ? central() : neighbour(from, ...ARROWS[event.key]);
    if (to >= 0) { hover(-1); select(to, true); reveal(to); if (hovering.plays) play(to); }
  } else if (event.key === "Enter" && from >= 0) play(from);
  else if (event.key === "+" || event.key === "=") zoom(1.3);
  else if (event.key === "-") zoom(1 / 1.3);
  else if (event.key === "0") fit();
  else if (event.key === "Escape") { stop(); select(-1); }
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("button, input");
  if (event.key === " " && !typing) { event.preventDefault(); stop(); }
  if (event.key === "/" && event.target !== byId("find")) { event.preventDefault(); byId("find").focus(); }
});

// ---- buttons -----------------------------------------------------------------------------------------------------
byId("sound").addEventListener("click", async () => {
  hovering.plays = !hovering.plays;
  byId("sound").setAttribute("aria-pressed", String(hovering.plays));
  if (hovering.plays) await ready();
  else stop();
});
byId("play").addEventListener("click", () => {
  const i = shownOnCard();
  if (i >= 0 && playing() === i) stop();
  else if (i >= 0) play(i);
});
document.querySelectorAll("[data-mode]").forEach((button) => button.addEventListener("click", () => {
  colouring.mode = state.mode = button.dataset.mode;
  document.querySelectorAll("[data-mode]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
  refresh();
}));
byId("find").addEventListener("input", filter);
byId("all").addEventListener("click", showAll);
byId("closer").addEventListener("click", () => zoom(1.4));
byId("farther").addEventListener("click", () => zoom(1 / 1.4));
byId("fit").addEventListener("click", fit);

function refresh() { legend(); card(shownOnCard()); draw(); }
darkQuery.addEventListener("change", refresh);

// ---- start -------------------------------------------------------------------------------------------------------
fillFacts(byId("facts"), data.facts);
state.mode = colouring.mode;
legend();
filter();
fit();
let laidOut = canvas.clientWidth;
new ResizeObserver(() => { if (laidOut !== canvas.clientWidth && view.k === view.fit) fit(); laidOut = canvas.clientWidth; draw(); }).observe(canvas);
