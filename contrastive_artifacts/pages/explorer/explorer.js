// The explorer: its keys, and how the page starts. Every key but the arrows works wherever no text is being typed.
import { byId, darkQuery, state } from "../../core/html/base.js";
import { ask, busy, guarded, say, trouble } from "../shared/asking.js";
import { plural } from "../shared/counts.js";
import { bound, keyOf, keyRow, keySheet } from "../shared/keys.js";
import { player } from "../shared/player.js";
import { adopt, assignStyles, columns, points } from "./columns.js";
import { filter, shown } from "./filter.js";
import { paintStyles, startDrawing } from "./gl.js";
import { toggleHover } from "./hover.js";
import { labelMany, labelOne, readLabels, showCounts, step, undo } from "./labels.js";
import { legend, listColumns, recolour } from "./legend.js";
import { listRows, markRows } from "./lists.js";
import { rescale, zoomSpan } from "./measure.js";
import { about, count, page } from "./page.js";
import { describe, itemSettled, openTab, select, stepWindow } from "./panel.js";
import { markEdge, markSpan, paintLevels, paintPicture } from "./picture.js";
import { cancelLasso, hover, toggleLasso } from "./pointer.js";
import "./retrain.js";
import { listLabels, searchSpan } from "./search.js";
import { clear, showSelection } from "./selection.js";
import { toggleTable } from "./table.js";
import { changePad, changeSpeed, nextChannel, sound, toggleLoop, version } from "./transport.js";
import { buildGrid, central, fit, map, neighbour, resize, zoom } from "./view.js";

// ---- keys --------------------------------------------------------------------------------------------------------
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SHEET = [
  ["← ↑ → ↓", "next row in that direction"], ["Enter", "select the row under the pointer, else play"], keyRow("play"), ["+  −  0", "zoom in, out, fit"],
  ["A  B  D", "damaged, clean, their difference (also while playing)"], ["P", "loop"], keyRow("earlier", "previous window"), keyRow("later", "next window"), ["C", "context: ± 0, 2, 10 s"], keyRow("scale"), ["Z", "zoom to the span, or show all"], ["V", "next channel, mid, side"], ["<  >", "slower, faster"],
  ["Wheel, Shift-wheel", "on the picture: zoom time, frequency"], ["+  −  PgUp  PgDn", "the same on the focused picture; ↑ ↓ move its crosshair"],
  ["[  ]", "begin, end a span at the playhead"], ["S", "search by the span"], ["H", "play on hover"], ["G", "lasso tool"], ["Shift-drag", "lasso; adds to it with the tool on"],
  keyRow("keep"), keyRow("reject"), keyRow("relabel"), ["Shift-Y X L", "the same for all selected rows"], keyRow("undo", "undo the last label (or Ctrl-Z)"), keyRow("note", "note for the next label"),
  keyRow("next", "next row of the table or list"), keyRow("previous", "previous row of the table or list"), ["T", "table beside the map"], ["1 2 3 4", "Similar, Hits, Selection, Facts"], ["O", "search by a sound file"], ["/", "filter by text"], ["M", "to the map"], ["Esc", "clear: lasso, span, selection"], keyRow("help"),
];

function moveTo(key) {
  const from = page.selected >= 0 && shown[page.selected] ? page.selected : -1, to = from < 0 ? central() : neighbour(from, ...ARROWS[key]);
  if (to < 0) { say("There is no row in that direction; zoom out or remove filters."); return; }
  hover(-1);
  select(to, { pan: true, speak: true, quick: true, play: page.hoverPlays });
}
function enter() {
  if (page.hovered >= 0 && page.hovered !== page.selected) select(page.hovered, { speak: true });
  else if (page.item) guarded(sound)();
  else moveTo("ArrowRight");
}
function escape() { // clears one thing at a time, the newest first
  if (page.outline.length) cancelLasso();
  else if (byId("trouble").textContent) trouble("");
  else if (player.voice) player.stop();
  else if (page.item?.span) markSpan(null);
  else if (page.lassoing) toggleLasso(false);
  else if (page.lasso.rows.length) clear();
  else select(-1);
}
const KEYS = {
  ...bound({
    play: () => (page.item ? guarded(sound)() : player.stop()), next: () => step(1), previous: () => step(-1), earlier: () => stepWindow("previous"), later: () => stepWindow("next"), scale: rescale,
    keep: () => labelOne("keep"), reject: () => labelOne("reject"), relabel: () => labelOne("relabel"), undo, note: () => byId("note").focus(), help: keySheet(SHEET),
  }),
  Enter: enter, Escape: escape, "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: fit,
  a: () => version("damaged"), b: () => version("clean"), d: () => version("difference"), p: toggleLoop, c: changePad, z: zoomSpan, v: nextChannel, "<": () => changeSpeed(-1), ">": () => changeSpeed(1),
  "[": () => markEdge(0), "]": () => markEdge(1), s: searchSpan, h: () => toggleHover(), g: () => toggleLasso(),
  Y: () => labelMany("keep"), X: () => labelMany("reject"), L: () => labelMany("relabel"), 1: () => openTab("similar", true), 2: () => openTab("hits", true), 3: () => openTab("chosen", true), 4: () => openTab("facts", true),
  o: () => byId("file").click(), t: () => toggleTable(), "/": () => byId("find").focus(), m: () => map.focus(),
};
const REPEATS = ["+", "=", "-", ",", ".", "j", "k"];
byId("help").addEventListener("click", KEYS["?"]);

document.addEventListener("keydown", (event) => {
  if (event.isComposing || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches?.("input[type=text], input[type=search]");
  if (event.ctrlKey || event.metaKey) {
    if (event.key.toLowerCase() === "z" && !event.shiftKey && !typing) { event.preventDefault(); undo(); }
    return;
  }
  if (event.altKey) return;
  if (typing) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target === byId("note"))) { event.preventDefault(); map.focus(); }
    return;
  }
  if (event.target.matches?.("select") && event.key !== "Escape") return;
  if (ARROWS[event.key]) {
    if (event.target !== map && event.target !== document.body) return; // lists, sliders and tabs have arrow keys of their own
    event.preventDefault();
    moveTo(event.key);
    return;
  }
  if ((event.key === " " || event.key === "Enter") && event.target.matches?.("button, a, input, [role=tab]")) return; // they handle them
  const key = keyOf(event);
  const act = KEYS[key] ?? KEYS[key.toLowerCase()];
  if (!act || (event.repeat && !REPEATS.includes(key))) return;
  event.preventDefault();
  act();
});

// ---- start -------------------------------------------------------------------------------------------------------
darkQuery.addEventListener("change", () => {
  paintStyles();
  legend();
  paintLevels();
  paintPicture();
  if (page.item?.info) describe();
  if (page.hits.rows.length) listRows(byId("hit-rows"), page.hits.rows);
  if (page.similar.length) listRows(byId("similar-rows"), page.similar);
});
new ResizeObserver(resize).observe(map);
new ResizeObserver(paintPicture).observe(byId("view"));

byId("method").textContent = [plural(count, "row"), about.encoder.name, about.map.method].filter(Boolean).join(" · ");
byId("method").title = about.map.method;
Object.assign(state, { visible: count, selected: "", hovered: "", playing: "", version: "damaged", lasso: 0, hits: 0, labels: 0, query: "", picture: "", error: "", drawn: 0, tab: page.tab });
guarded(async () => {
  adopt(about.columns);
  assignStyles();
  listColumns();
  listLabels();
  showCounts({ keep: 0, reject: 0, relabel: 0 });
  page.colour = columns.has(about.colour) ? about.colour : [...columns.keys()][0] ?? "";
  const bytes = await busy("Loading the map…", () => ask("api/map", undefined, { as: "arrayBuffer" }));
  if (bytes.byteLength !== 8 * count) throw new Error(`The map has ${bytes.byteLength / 8} positions for ${count} rows; load the page again.`);
  points.x = new Float32Array(bytes, 0, count);
  points.y = new Float32Array(bytes, 4 * count, count);
  buildGrid();
  resize();
  startDrawing();
  fit();
  if (page.colour) await recolour(page.colour);
  showCounts(await readLabels());
  await filter();
  showSelection();
  itemSettled.emit();
  markRows();
  map.focus();
  state.ready = count;
})();
