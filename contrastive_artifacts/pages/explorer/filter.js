// Which rows are shown: by hidden names and ranges of columns, and by words of the text filter.
import { byId, signal, state } from "../../core/html/base.js";
import { amount, plural } from "../shared/counts.js";
import { columns, load } from "./columns.js";
import { count, page } from "./page.js";

export const shown = new Uint8Array(count).fill(1); // 1 for rows that pass the filters
export const filtered = signal();
export const active = (column) => column.range !== null || column.hidden.size > 0;

export async function filter() {
  const needed = [...columns.values()].filter((column) => active(column) || (page.words.length && column.kind === "category"));
  await Promise.all(needed.map((column) => load(column.name)));
  pass(shown, needed);
  page.visible = 0;
  for (let i = 0; i < count; i++) page.visible += shown[i];
  state.visible = page.visible;
  byId("count").textContent = page.visible < count ? `${amount(page.visible)} of ${amount(count)} shown` : `${plural(count, "row")}`;
  byId("all").hidden = page.visible === count && !page.words.length && ![...columns.values()].some(active);
  filtered.emit();
}
function pass(rows, filtering) {
  rows.fill(1);
  for (const column of filtering) if (active(column)) (column.kind === "number" ? keepRange : keepValues)(rows, column);
  for (const word of page.words) keepWord(rows, word);
}
// 1 for rows that pass the filters of all other columns: what the legend of a column counts. Null where all rows do.
export function shownBeside(name) {
  const others = [...columns.values()].filter((column) => column.name !== name && column.data && active(column));
  if (!others.length && !page.words.length) return null;
  const rows = new Uint8Array(count);
  pass(rows, others);
  return rows;
}
function keepRange(rows, { data, range, hidden }) {
  const [low, high] = range ?? [-Infinity, Infinity], keepsMissing = !hidden.has(null) && range === null;
  for (let i = 0; i < count; i++) {
    const value = data[i];
    if (Number.isNaN(value) ? !keepsMissing : value < low || value > high) rows[i] = 0;
  }
}
function keepValues(rows, { data, names, parts, hidden }) { // a row with several names is shown while any of them is
  const off = new Uint8Array(65536);
  parts.forEach((places, code) => { off[code] = places.every((place) => hidden.has(names[place])) ? 1 : 0; });
  if (hidden.has(null)) off.fill(1, parts.length);
  for (let i = 0; i < count; i++) if (off[data[i]]) rows[i] = 0;
}
function keepWord(rows, word) { // rows with the word in any category
  const matches = new Uint8Array(count), codes = new Uint8Array(65536);
  for (const { kind, data, values } of columns.values()) {
    if (kind !== "category" || !data) continue;
    codes.fill(0);
    let any = false;
    values.forEach((name, code) => { if (name.toLowerCase().includes(word)) codes[code] = any = 1; });
    if (any) for (let i = 0; i < count; i++) matches[i] |= codes[data[i]];
  }
  for (let i = 0; i < count; i++) rows[i] &= matches[i];
}
