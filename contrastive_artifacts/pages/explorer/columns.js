// The metadata of all rows by column, fetched from the server when needed, and where rows lie on the map.
import { ask } from "../shared/asking.js";
import { about, count, page } from "./page.js";

export const STYLES = 35; // 7 hues x 5 shapes
export const OTHERS = 35; // place in the palette, behind the styles: other values
export const MISSING = 36; // no value
export const points = { x: new Float32Array(0), y: new Float32Array(0) };
// Name -> { name, kind, values | low, high, data, hidden (values; null for missing), range }.
export const columns = new Map();

// Takes over the server's list of columns. Filters stay: they hold values, not codes, which may have changed.
export function adopt(list) {
  const before = new Map(columns);
  columns.clear();
  for (const column of list) {
    const old = before.get(column.name);
    columns.set(column.name, { ...column, data: null, loading: null, hidden: old?.hidden ?? new Set(), range: old?.range ?? null });
  }
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
// Counts the values of a category and gives each a style: `look` by code, `listed` codes of the legend in order, `rest`
// codes without a style of their own.
function tally(column) {
  const { data, values } = column, counts = new Uint32Array(values.length + 1);
  for (let i = 0; i < count; i++) counts[data[i] < values.length ? data[i] : values.length]++;
  column.counts = counts;
  const occurring = values.map((_, code) => code).filter((code) => counts[code]);
  const plain = (code) => values[code] === "clean" || values[code] === "";
  const coloured = occurring.filter((code) => !plain(code));
  const known = coloured.length <= STYLES && slots.size <= STYLES && coloured.every((code) => slots.has(values[code]));
  // With more values than styles, the most frequent ones get one, the others share "others".
  const crowded = coloured.length > STYLES;
  const order = crowded ? [...coloured].sort((a, b) => counts[b] - counts[a]) : coloured;
  column.look = new Uint8Array(65536).fill(MISSING);
  values.forEach((_, code) => { column.look[code] = OTHERS; });
  order.slice(0, STYLES).forEach((code, place) => { column.look[code] = known ? slots.get(values[code]) : place; });
  column.rest = crowded ? order.slice(STYLES) : [];
  column.listed = [...(crowded ? order.slice(0, STYLES) : coloured), ...occurring.filter(plain)];
}
// Label -> style: the same colour and shape in whichever column a label occurs.
export const slots = new Map();
export function assignStyles() {
  const used = new Set(["artifact", "heard", "label"].flatMap((name) => columns.get(name)?.values ?? []));
  const ranked = [...about.labels.filter((name) => used.has(name)), ...used];
  for (const name of ranked) if (name && name !== "clean" && !slots.has(name)) slots.set(name, slots.size);
}
// After labels or verdicts changed on the server: `names` are fetched again when needed, the others keep their data.
export async function reload(names) {
  const fresh = await ask("api/about");
  page.edition++;
  const unchanged = new Map([...columns].filter(([name, column]) => column.data && !names.includes(name)));
  adopt(fresh.columns);
  about.labels = fresh.labels;
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
