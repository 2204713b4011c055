// The metadata of all rows by column, fetched from the server when needed, and where rows lie on the map.
import { ask } from "../shared/asking.js";
import { about, count, page } from "./page.js";

export const STYLES = 56; // 7 hues x 8 shapes
export const OTHERS = 56; // place in the palette, behind the styles: clean, silence and other values
export const MISSING = 57; // no value
const PLAIN = ["clean", "silence", ""];
export const points = { x: new Float32Array(0), y: new Float32Array(0) };
// Name -> { name, kind, values, sets, names, parts | low, high, data, hidden (names; null for missing), range }. A value of
// a category is one name or, with `sets`, several joined by ", "; `parts` are the places in `names` of each value's names.
export const columns = new Map();
export const uncoloured = []; // columns with too many values to colour by: { name, distinct }

// Takes over the server's list of columns. Filters stay: they hold values, not codes, which may have changed.
export function adopt(list) {
  const before = new Map(columns);
  columns.clear();
  uncoloured.length = 0;
  for (const column of list) {
    if (column.kind === "many") { uncoloured.push(column); continue; }
    const old = before.get(column.name);
    const named = column.kind === "category" ? parted(column) : {};
    columns.set(column.name, { ...column, ...named, data: null, loading: null, hidden: old?.hidden ?? new Set(), range: old?.range ?? null });
  }
}
export const namesOf = (label) => label.split(", ");
function parted({ values, sets }) {
  if (!sets) return { names: values, parts: values.map((_, code) => [code]) };
  const order = new Map(about.labels.map((name, place) => [name, place])), rank = (name) => order.get(name) ?? -1; // "" first
  const names = [...new Set(values.flatMap(namesOf))].sort((a, b) => rank(a) - rank(b)), place = new Map(names.map((name, n) => [name, n]));
  return { names, parts: values.map((value) => namesOf(value).map((name) => place.get(name)).sort((a, b) => a - b)) };
}
// The column with its data, which is fetched once.
export function load(name) {
  const column = columns.get(name);
  column.loading ??= (async () => {
    const bytes = await ask(`api/columns/${encodeURIComponent(name)}?version=${page.edition}`, undefined, { as: "arrayBuffer" });
    column.data = column.kind === "number" ? new Float32Array(bytes) : new Uint16Array(bytes);
    if (column.kind === "category") tally(column);
    return column;
  })().catch((error) => { column.loading = null; throw error; });
  return column.loading;
}
// Number of rows with each name, of all rows or of `rows`; the last number is that of rows without a value.
export function countNames({ data, names, parts }, rows = null) {
  const byCode = new Uint32Array(parts.length + 1), counts = new Uint32Array(names.length + 1);
  const add = (row) => { byCode[Math.min(data[row], parts.length)]++; };
  if (rows) rows.forEach(add);
  else for (let i = 0; i < count; i++) add(i);
  parts.forEach((places, code) => { for (const place of places) counts[place] += byCode[code]; });
  counts[names.length] = byCode[parts.length];
  return counts;
}
// Counts the names of a category and gives each a style: `look` by place, `listed` places of the legend in order, `rest`
// places without a style of their own.
function tally(column) {
  const { names } = column, counts = countNames(column);
  column.counts = counts;
  const occurring = names.map((_, place) => place).filter((place) => counts[place]);
  const plain = (place) => PLAIN.includes(names[place]);
  const coloured = occurring.filter((place) => !plain(place));
  const known = coloured.length <= STYLES && coloured.every((place) => slots.has(names[place]));
  // With more names than styles, the most frequent ones get one, the others share "others".
  const crowded = coloured.length > STYLES;
  const order = crowded ? [...coloured].sort((a, b) => counts[b] - counts[a]) : coloured;
  column.look = new Uint8Array(names.length).fill(OTHERS);
  order.slice(0, STYLES).forEach((place, n) => { column.look[place] = known ? slots.get(names[place]) : n; });
  column.rest = crowded ? order.slice(STYLES) : [];
  column.listed = [...(crowded ? order.slice(0, STYLES) : coloured), ...occurring.filter(plain)];
}
// The style of each code: that of the first of its names that is not hidden.
export function codeLooks({ look, names, parts, hidden }) {
  const looks = new Uint8Array(65536).fill(MISSING);
  parts.forEach((places, code) => { looks[code] = look[places.find((place) => !hidden.has(names[place])) ?? places[0]]; });
  return looks;
}
// Label -> style, the same in whichever column a label occurs: for artifacts their place in the catalog, as on every page;
// for other labels the free places, from the end.
export const slots = new Map();
export function assignStyles() {
  const used = new Set(["artifact", "present", "heard", "label"].flatMap((name) => columns.get(name)?.names ?? []));
  const ranked = new Set([...about.labels.filter((name) => used.has(name)), ...used].filter((name) => !PLAIN.includes(name)));
  for (const name of ranked) if (name in about.places) slots.set(name, about.places[name]);
  const taken = new Set(slots.values()), free = Array.from({ length: STYLES }, (_, n) => STYLES - 1 - n).filter((place) => !taken.has(place));
  for (const name of ranked) if (!slots.has(name) && free.length) slots.set(name, free.shift());
}
// After labels or verdicts changed on the server: `names` are fetched again when needed, the others keep their data.
export async function reload(names) {
  const fresh = await ask("api/about");
  page.edition++;
  const unchanged = new Map([...columns].filter(([name, column]) => column.data && !names.includes(name)));
  Object.assign(about, { labels: fresh.labels, places: fresh.places });
  adopt(fresh.columns);
  assignStyles();
  for (const [name, old] of unchanged) {
    const column = columns.get(name);
    if (!column || String(column.values) !== String(old.values)) continue;
    for (const field of ["data", "loading", "counts", "look", "rest", "listed"]) column[field] = old[field];
  }
}
// The value of a row as text, if the column is loaded: for the tooltip before the server has answered.
export function valueText(name, row) {
  const column = columns.get(name);
  if (!column?.data) return "";
  const value = column.data[row];
  return column.kind === "number" ? (Number.isNaN(value) ? "" : value.toPrecision(3)) : column.values[value] ?? "";
}
