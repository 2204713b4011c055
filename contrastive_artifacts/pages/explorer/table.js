// The rows as a table beside the map: all that are shown, the selection or the hits, sorted by any column. Only the lines
// in view exist; their files and times are asked for as they come into view.
import { byId, element, state } from "../../core/html/base.js";
import { ask, guarded } from "../shared/asking.js";
import { amount, plural } from "../shared/counts.js";
import { shownOf } from "./binding.js";
import { columns, load } from "./columns.js";
import { filtered } from "./filter.js";
import { about, count, listsChanged, page, userLabels } from "./page.js";
import { itemChanged, select } from "./panel.js";

const LINE = 25; // pixels
const AROUND = 12; // lines beyond the view, on either side
const verdict = about.encoder.sets ? "present" : "heard";
// [column, heading]; files have the order of the rows.
const HEADINGS = [["row", "file"], ["time_s", "time"], [verdict, "heard"], ["heard_severity", "severity"], ["heard_probability", "probability"], ["decision", "decision"]];
const places = new Map(); // row -> [file, time]
const order = { by: "row", down: false, scope: "shown" };
let at = -1; // place of the current line
let asked = 0;

const list = byId("table-rows"), lines = byId("table-lines");
const rowsOfScope = { shown: () => shownOf(Uint32Array.from({ length: count }, (_, row) => row)), chosen: () => shownOf(Uint32Array.from(page.lasso.rows)), hits: () => shownOf(Uint32Array.from(page.hits.rows, ({ row }) => row)) };

// ---- order -------------------------------------------------------------------------------------------------------
// A number for each row by which a column is sorted; NaN comes last whichever way.
function keyOf(column) {
  const { data } = column;
  if (column.kind === "number") return (row) => data[row];
  const rank = new Map([...column.values.keys()].sort((a, b) => (column.values[a] < column.values[b] ? -1 : 1)).map((code, n) => [code, n]));
  return (row) => (column.values[data[row]] ? rank.get(data[row]) : NaN);
}
const listTable = guarded(async () => {
  if (byId("table").hidden) return;
  const mine = ++asked, names = HEADINGS.map(([name]) => name).filter((name) => columns.has(name));
  await Promise.all(names.map(load));
  if (mine !== asked) return;
  const rows = rowsOfScope[order.scope](), column = columns.get(order.by), sign = order.down ? -1 : 1;
  if (column) {
    const key = keyOf(column), keys = Float64Array.from(rows, key), sorted = Uint32Array.from(rows, (_, n) => n);
    sorted.sort((a, b) => (Number.isNaN(keys[a]) - Number.isNaN(keys[b])) || sign * (keys[a] - keys[b]) || a - b);
    page.table = Uint32Array.from(sorted, (n) => rows[n]);
  } else page.table = order.down ? rows.reverse() : rows;
  at = page.table.indexOf(page.selected);
  progress();
  list.setAttribute("aria-rowcount", String(page.table.length + 1));
  lines.style.height = `${page.table.length * LINE}px`;
  state.table = page.table.length;
  for (const heading of byId("table-head").children) {
    heading.firstChild.disabled = heading.dataset.name === "time_s" && !columns.has("time_s"); // rendered views all begin at 0
    heading.setAttribute("aria-sort", heading.dataset.name === order.by ? (order.down ? "descending" : "ascending") : "none");
  }
  byId("least").setAttribute("aria-pressed", String(order.by === "heard_probability" && !order.down));
  paintTable();
});
function sortBy(name, down = order.by === name && !order.down) {
  Object.assign(order, { by: name, down });
  list.scrollTop = 0;
  listTable();
}

function progress() { // of labelling the rows of the table
  const done = page.table.reduce((sum, row) => sum + userLabels.has(row), 0);
  byId("table-count").textContent = `${amount(done)} of ${plural(page.table.length, "row")} labelled`;
}

// ---- lines -------------------------------------------------------------------------------------------------------
function textOf(row, name) {
  if (name === "row") return places.get(row)?.[0] ?? "…";
  if (name === "time_s") return places.get(row)?.[1].split(" - ")[0] ?? "";
  if (name === "decision") { const label = userLabels.get(row); return label ? `${label.decision}${label.label ? ` ${label.label}` : ""}` : ""; }
  const column = columns.get(name), value = column?.data?.[row];
  if (!column?.data) return "";
  if (column.kind === "category") return column.values[value] ?? "";
  return Number.isNaN(value) ? "" : name === "heard_probability" ? `${Math.round(100 * value)} %` : value.toFixed(2);
}
function paintTable() {
  if (byId("table").hidden || !page.table) return;
  const first = Math.max(0, Math.floor(list.scrollTop / LINE) - AROUND), last = Math.min(page.table.length, Math.ceil((list.scrollTop + list.clientHeight) / LINE) + AROUND);
  const shownRows = [...page.table.subarray(first, last)];
  lines.replaceChildren(...shownRows.map((row, n) => {
    const line = element("div", { className: `table-line${row === page.selected ? " current" : ""}`, id: `line-${first + n}` });
    line.setAttribute("role", "row");
    line.setAttribute("aria-rowindex", String(first + n + 2));
    line.setAttribute("aria-selected", String(row === page.selected));
    line.style.top = `${(first + n) * LINE}px`;
    line.dataset.row = String(row);
    line.append(...HEADINGS.map(([name]) => { const text = textOf(row, name), cell = element("span", { textContent: text, title: text }); cell.setAttribute("role", "gridcell"); return cell; }));
    return line;
  }));
  list.setAttribute("aria-activedescendant", at >= first && at < last ? `line-${at}` : "");
  const missing = shownRows.filter((row) => !places.has(row));
  if (missing.length) askPlaces(missing);
}
const askPlaces = guarded(async (rows) => {
  for (const row of rows) places.set(row, ["…", ""]); // asked for once
  let answer;
  try { answer = await ask("api/places", { rows }); } catch (error) { for (const row of rows) places.delete(row); throw error; }
  rows.forEach((row, n) => places.set(row, answer[n]));
  paintTable();
});
function goTo(place) {
  if (!page.table.length) return;
  at = Math.min(page.table.length - 1, Math.max(0, place));
  reveal();
  select(page.table[at], { pan: true, speak: true, quick: true });
}
function reveal() { // scrolls the current line into view
  const top = at * LINE, below = top + LINE - list.clientHeight;
  if (list.scrollTop > top) list.scrollTop = top;
  else if (list.scrollTop < below) list.scrollTop = below;
}

// ---- keys, pointer -----------------------------------------------------------------------------------------------
export function toggleTable(open = byId("table").hidden) {
  byId("table").hidden = !open;
  document.querySelector(".stage").classList.toggle("tabled", open);
  byId("show-table").setAttribute("aria-pressed", String(open));
  page.table = null;
  state.table = "";
  if (!open) return;
  byId("scope").value = order.scope = page.tab === "hits" && page.hits.rows.length ? "hits" : page.tab === "chosen" && page.lasso.rows.length ? "chosen" : "shown";
  listTable();
  list.focus();
}
byId("show-table").addEventListener("click", () => toggleTable());
byId("least").addEventListener("click", () => { sortBy("heard_probability", false); list.focus(); });
byId("scope").addEventListener("change", (event) => { order.scope = event.target.value; listTable(); });
byId("table-head").append(...HEADINGS.map(([name, text]) => {
  const button = element("button", { type: "button", textContent: text }), heading = element("div", {}, button);
  heading.setAttribute("role", "columnheader");
  heading.dataset.name = name;
  button.addEventListener("click", () => sortBy(name));
  return heading;
}));
list.addEventListener("scroll", () => requestAnimationFrame(paintTable));
lines.addEventListener("click", (event) => {
  const row = Number(event.target.closest(".table-line")?.dataset.row ?? -1);
  if (row >= 0) { at = page.table.indexOf(row); select(row, { pan: true, play: true, speak: true }); }
});
list.addEventListener("keydown", (event) => {
  const leap = Math.max(1, Math.floor(list.clientHeight / LINE) - 1);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + leap, PageUp: at - leap, Home: 0, End: page.table.length - 1 }[event.key];
  if (to === undefined || event.ctrlKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  goTo(to);
});
new ResizeObserver(() => paintTable()).observe(list);
filtered.on(listTable);
itemChanged.on(() => {
  if (!page.table) return;
  const place = page.table.indexOf(page.selected);
  if (place >= 0) { at = place; reveal(); }
  paintTable();
});
listsChanged.on(() => { if (order.scope === "shown" && columns.get(verdict)?.data && page.table) { progress(); paintTable(); } else listTable(); });
byId("table").setAttribute("aria-label", `Table of ${amount(count)} rows`);
