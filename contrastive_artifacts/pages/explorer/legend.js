// What the colours mean, and the filters: the legend, the range of a number, the text, and the active filters as chips.
import { byId, element, fitCanvas, ramp, state } from "../../core/html/base.js";
import { guarded } from "../shared/asking.js";
import { amount, plural } from "../shared/counts.js";
import { marker } from "../shared/marks.js";
import { MISSING, OTHERS, codeLooks, columns, countNames, load, uncoloured } from "./columns.js";
import { active, filter, filtered, shownBeside } from "./filter.js";
import { paintStyles } from "./gl.js";
import { STEPS, lookOf, styles } from "./looks.js";
import { forgetNames } from "./names.js";
import { about, count, page, userLabels } from "./page.js";
import { map } from "./view.js";

const BARS = 64; // of the histogram of a number
const NOTCHES = 200; // of the two sliders of its range
const MOST_ENTRIES = 400;
const HINT = "Click: hide or show. Shift-click: only this.";
const HINT_OF_SETS = `${HINT} A row with several is shown while any of them is, in the colour of the first one shown.`;
const spaced = (name) => name.replaceAll("_", " ");

// ---- colour ------------------------------------------------------------------------------------------------------
let latestChoice = "";
export const recolour = guarded(async (name = page.colour) => {
  latestChoice = name;
  const column = await load(name);
  if (latestChoice !== name) return; // another one was chosen meanwhile
  page.colour = state.colour = name;
  byId("colour").value = name;
  forgetNames();
  paintRows(column);
  legend();
  describeMap();
});
function paintRows(column) {
  if (column.kind === "number") {
    const { data, low, high } = column, span = high - low || 1;
    for (let i = 0; i < count; i++) styles[i] = Number.isNaN(data[i]) ? STEPS : Math.min(STEPS - 1, Math.max(0, Math.round(((data[i] - low) / span) * (STEPS - 1))));
  } else {
    const looks = codeLooks(column);
    for (let i = 0; i < count; i++) styles[i] = looks[column.data[i]];
  }
  paintStyles();
}
filtered.on(() => { // a hidden name gives its colour up to the others of its rows
  const column = columns.get(page.colour);
  if (column?.sets && column.data) paintRows(column);
});
export function listColumns() { // those with more than one value; "label" and "decision" once there are labels
  const useful = ({ name, kind, values }) => kind === "number" || (values.length > 1 && (userLabels.size || !["label", "decision"].includes(name)));
  byId("colour").replaceChildren(...[...columns.values()].filter(useful).map(({ name }) => element("option", { value: name, textContent: spaced(name) })),
    ...uncoloured.map(({ name, distinct }) => element("option", { disabled: true, textContent: `${spaced(name)}: ${amount(distinct)} values, too many to colour` })));
  byId("colour").value = page.colour;
}
byId("colour").addEventListener("change", (event) => recolour(event.target.value));

export function legend() {
  const column = columns.get(page.colour), number = column?.kind === "number";
  if (!column?.data) return;
  byId("range").hidden = !number;
  byId("legend-hint").hidden = number;
  byId("legend-hint").textContent = [crowdedText(column), column.sets ? HINT_OF_SETS : HINT].join(" ");
  const beside = rowsBeside(column), counts = number ? null : beside ? countNames(column, beside) : column.counts;
  const items = number ? [] : column.listed.slice(0, MOST_ENTRIES).map((place) => entry(column, [column.names[place]], column.names[place] || "(none)", counts[place], column.look[place]));
  if (!number && column.rest.length) {
    const many = column.rest.reduce((sum, place) => sum + counts[place], 0);
    items.push(entry(column, column.rest.map((place) => column.names[place]), `${amount(column.rest.length)} others`, many, OTHERS));
  }
  const missing = number ? countMissing(column, beside) : counts[column.names.length];
  if (missing || column.hidden.has(null)) items.push(entry(column, [null], "missing", missing, number ? STEPS : MISSING));
  const at = [...byId("items").children].indexOf(document.activeElement?.parentElement);
  byId("items").replaceChildren(...items);
  byId("items").children[at]?.firstChild.focus(); // the new legend keeps the keyboard focus of the old one
  if (number) { column.bars = null; histogram(column, beside); }
}
function crowdedText({ rest, names, listed, counts }) { // a column with more values than colours says so
  if (!rest?.length) return "";
  const coloured = listed.reduce((sum, place) => sum + counts[place], 0);
  return `${amount(names.length)} values are too many to colour apart: the ${amount(listed.length)} most frequent have a colour (${amount(coloured)} of ${plural(count, "row")}), the others are grey. Filter by text to see one of them.`;
}
// The rows that pass the filters of the other columns: those that the legend counts; null for all.
function rowsBeside(column) {
  const passing = shownBeside(column.name);
  if (!passing) return null;
  const rows = new Uint32Array(count);
  let many = 0;
  for (let row = 0; row < count; row++) if (passing[row]) rows[many++] = row;
  return rows.subarray(0, many);
}
function valuesOf({ data }, rows) { return rows ? Float32Array.from(rows, (row) => data[row]) : data; }
function countMissing(column, rows) { return valuesOf(column, rows).reduce((sum, v) => sum + Number.isNaN(v), 0); }
filtered.on(legend);
function entry(column, names, text, many, place) {
  const button = element("button", { type: "button", title: text }, marker(lookOf(place)),
    element("span", { className: "text", textContent: text }), element("span", { className: "many", textContent: amount(many) }));
  button.setAttribute("aria-pressed", String(!names.every((name) => column.hidden.has(name))));
  button.addEventListener("click", (event) => {
    if (event.shiftKey || event.altKey) showOnly(column, names);
    else if (names.every((name) => column.hidden.has(name))) names.forEach((name) => column.hidden.delete(name));
    else names.forEach((name) => column.hidden.add(name));
    button.focus(); // not every browser does so on a click
    legend();
    filterSoon();
  });
  button.addEventListener("keydown", (event) => { // Tab leaves the list; arrows move in it
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    (by > 0 ? button.parentElement.nextSibling : button.parentElement.previousSibling)?.firstChild.focus();
  });
  return element("li", {}, button);
}
function showOnly(column, names) { // or all, if these are the only ones shown
  const others = [...column.names ?? [], null].filter((name) => !names.includes(name));
  const alone = names.every((name) => !column.hidden.has(name)) && others.every((name) => column.hidden.has(name));
  column.hidden = new Set(alone ? [] : others);
}

// ---- range of a number -------------------------------------------------------------------------------------------
const valueText = (column, v) => (column.high - column.low >= 100 ? v.toFixed(0) : v.toFixed(2));
const within = (column, v) => Math.min(column.high, Math.max(column.low, v));
function histogram(column, rows = null) {
  if (!column.bars) {
    const bars = new Uint32Array(BARS), span = column.high - column.low || 1;
    for (const v of valuesOf(column, rows)) if (!Number.isNaN(v)) bars[Math.min(BARS - 1, Math.max(0, Math.floor(((v - column.low) / span) * BARS)))]++;
    column.bars = bars;
  }
  const { context: g, width, height } = fitCanvas(byId("histogram")), top = Math.max(...column.bars, 1);
  const [low, high] = column.range ?? [column.low, column.high], at = (n) => column.low + (n / BARS) * (column.high - column.low);
  g.clearRect(0, 0, width, height);
  column.bars.forEach((many, n) => {
    const tall = many ? Math.max(2, Math.sqrt(many / top) * (height - 2)) : 0; // square roots: rare values stay visible
    g.globalAlpha = at(n + 1) > low && at(n) < high ? 1 : 0.25;
    g.fillStyle = ramp((n + 0.5) / BARS);
    g.fillRect((n * width) / BARS, height - tall, width / BARS - 0.5, tall);
  });
  for (const [id, v] of [["low", low], ["high", high]]) {
    byId(id).value = Math.round(((within(column, v) - column.low) / (column.high - column.low || 1)) * NOTCHES);
    byId(id).setAttribute("aria-valuetext", valueText(column, within(column, v)));
    byId(`${id}-text`).textContent = valueText(column, within(column, v));
  }
}
for (const id of ["low", "high"]) {
  byId(id).addEventListener("input", () => {
    const column = columns.get(page.colour), moved = Number(byId(id).value), other = Number(byId(id === "low" ? "high" : "low").value);
    const [a, b] = id === "low" ? [Math.min(moved, other), other] : [other, Math.max(moved, other)], at = (n) => column.low + (n / NOTCHES) * (column.high - column.low);
    // A handle at its end sets no limit on that side, so that rounding hides no row.
    column.range = a === 0 && b === NOTCHES ? null : [a === 0 ? -Infinity : at(a), b === NOTCHES ? Infinity : at(b)];
    histogram(column);
    filterSoon();
  });
}

// ---- filters -----------------------------------------------------------------------------------------------------
let filterTimer = 0;
const runFilter = guarded(filter);
function filterSoon() { // with many rows, a range that is being dragged filters a few times per second
  clearTimeout(filterTimer);
  filterTimer = setTimeout(runFilter, count > 200000 ? 60 : 0);
}
byId("find").addEventListener("input", (event) => {
  page.words = event.target.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  filterSoon();
});
byId("find").addEventListener("keydown", (event) => { if (event.key === "Enter") map.focus(); });
byId("all").addEventListener("click", () => {
  for (const column of columns.values()) { column.hidden = new Set(); column.range = null; }
  byId("find").value = "";
  page.words = [];
  legend();
  runFilter();
  map.focus();
});

function chips() { // one per filtered column: the legend shows the filter of one column only
  const filterText = (column) => {
    if (column.range) return column.range.map((v) => valueText(column, within(column, v))).join(" – ");
    const left = (column.names ?? []).filter((name, place) => !column.hidden.has(name) && column.counts?.[place]);
    return left.length && left.length <= 2 ? left.map((name) => name || "(none)").join(", ") : `${column.hidden.size} hidden`;
  };
  byId("chips").replaceChildren(...[...columns.values()].filter(active).map((column) => {
    const text = `${spaced(column.name)}: ${filterText(column)}`;
    const button = element("button", { type: "button", textContent: `${text} ×`, title: `Remove this filter: ${text}` });
    button.addEventListener("click", () => { column.hidden = new Set(); column.range = null; legend(); runFilter(); map.focus(); });
    return element("li", {}, button);
  }));
}
filtered.on(chips);

// The map as text, for screen readers.
function describeMap() {
  const column = columns.get(page.colour);
  if (!column?.data) return;
  const parts = column.kind === "number" ? [`from ${valueText(column, column.low)} to ${valueText(column, column.high)}`]
    : column.listed.slice(0, 12).map((place) => `${column.names[place] || "none"} ${amount(column.counts[place])}`);
  byId("map-text").textContent = `${plural(count, "row")}, ${amount(page.visible)} shown, coloured by ${spaced(page.colour)}: ${parts.join(", ")}. ${about.map.method}`;
}
filtered.on(describeMap);
