// Lists of hits, and bars for shares.
import { element, state } from "../../core/html/base.js";
import { guarded } from "../shared/asking.js";
import { marker } from "../shared/marks.js";
import { player } from "../shared/player.js";
import { mark } from "./frames.js";
import { markButtons } from "./hover.js";
import { labelLook } from "./looks.js";
import { page, userLabels } from "./page.js";
import { badge, itemChanged, select } from "./panel.js";
import { rowSound } from "./playlist.js";
import { sound } from "./transport.js";

const SIGNS = { keep: "✓", reject: "✕", relabel: "↻" };

export function listRows(list, rows) {
  list.replaceChildren(...rows.map((hit, rank) => {
    const key = String(hit.row);
    const play = element("button", { type: "button", className: "sound", textContent: "▶", tabIndex: -1, title: "Play (Space in the list)" });
    play.dataset.key = key;
    play.setAttribute("aria-label", `Play ${hit.title}`);
    play.addEventListener("click", () => playRow(hit.row));
    const name = element("span", { className: "name" }, marker(labelLook(hit.label)), element("b", { textContent: hit.label || hit.title }));
    const about = [hit.time.split(" - ")[0], hit.severity ? `severity ${hit.severity.toFixed(2)}` : "", hit.name].filter(Boolean).join(" · ");
    const open = element("button", { type: "button", className: "row", tabIndex: rank ? -1 : 0 },
      element("span", { className: "rank", textContent: String(rank + 1) }), name,
      element("span", { className: "same", textContent: "same source", hidden: !hit.same_source }),
      element("span", { className: "score", textContent: `similarity ${hit.score.toFixed(2)}` }),
      element("span", { className: "from", textContent: about, title: `${hit.name}, ${hit.time}` }));
    open.dataset.row = key;
    open.addEventListener("click", () => select(hit.row, { pan: true, speak: true }));
    open.addEventListener("keydown", (event) => moveInList(event, list, rank, hit.row));
    open.addEventListener("pointerenter", () => highlight(hit.row));
    open.addEventListener("pointerleave", () => highlight(-1));
    return element("li", {}, play, open);
  }));
  markRows();
  markButtons();
}
function moveInList(event, list, rank, row) { // the list is one stop for Tab; arrows move in it, Space plays
  const to = { ArrowDown: rank + 1, ArrowUp: rank - 1, Home: 0, End: list.children.length - 1 }[event.key];
  if (event.key === " ") playRow(row);
  else if (to === undefined) return;
  else {
    const next = list.children[to]?.querySelector(".row");
    if (next) {
      list.querySelectorAll(".row").forEach((other) => { other.tabIndex = -1; });
      next.tabIndex = 0;
      next.focus();
    }
  }
  event.preventDefault();
  event.stopPropagation();
}
function highlight(row) { // on the map, as if the pointer were there
  page.hovered = row;
  state.hovered = row >= 0 ? String(row) : "";
  mark();
}
const playRow = guarded(async (row) => {
  if (player.key === String(row)) { player.stop(); return; }
  if (page.item?.row === row) await sound();
  else await player.play(rowSound(row), String(row));
});
// Marks the selected row and the user labels in all lists.
export function markRows() {
  for (const open of document.querySelectorAll(".rows .row")) {
    const row = Number(open.dataset.row), label = userLabels.get(row);
    open.parentElement.classList.toggle("current", row === page.selected);
    let sign = open.querySelector(".decision");
    if (!sign) open.querySelector(".name").append(sign = element("span"));
    Object.assign(sign, { className: `decision ${label?.decision ?? ""}`, textContent: SIGNS[label?.decision] ?? "", title: badge(label ?? {}) });
  }
}
itemChanged.on(markRows);

// Bars of [name, value, text] rows under a heading; `most` is the value of a full bar.
export function bars(heading, rows, most = Math.max(...rows.map(([, value]) => value), 1e-9)) {
  return element("div", {}, element("h3", { textContent: heading }), element("div", { className: "bars" }, ...rows.flatMap(([name, value, text]) => {
    const rail = element("span", { className: "rail" }, element("span"));
    rail.firstChild.style.width = `${(100 * value) / most}%`;
    return [element("span", { className: "name", textContent: name || "(none)", title: name }), rail, element("span", { className: "many", textContent: text })];
  })));
}
