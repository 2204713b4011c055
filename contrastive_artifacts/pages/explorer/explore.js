// The explorer: what the page knows of the rows, how it asks the server, and which rows are shown. Rows are numbered as
// the server numbers them. Body data attributes (drawn, visible, selected, hovered, playing, version, lasso, hits,
// labels, following while the columns of labels are on their way, query, colour, error ...) tell tests and assistive
// scripts what the canvases show.

const about = read("about"), state = document.body.dataset;
const count = about.count;
const STYLES = 35; // 7 hues x 5 shapes
const OTHERS = 35, MISSING = 36, STEPS = 64; // places in the palette: rest and none of a category; steps of a ramp
const MOST_LABELLED = 20000; // rows of one act, as the server takes them
const points = { x: new Float32Array(0), y: new Float32Array(0) };
const columns = new Map(); // name -> { name, kind, values | low, high, data, hidden (names; null = missing), range }
const shown = new Uint8Array(count).fill(1);
const styles = new Uint8Array(count).fill(OTHERS); // place in the palette, by row
let visible = count, colour = "", words = [], edition = 0, selected = -1, hovered = -1;

const amount = (n) => n.toLocaleString("en");
const plural = (n, noun) => `${amount(n)} ${noun}${n === 1 ? "" : "s"}`;
const say = (text) => { byId("say").textContent = text; };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// ---- asking ------------------------------------------------------------------------------------------------------
async function ask(path, body, { signal, as = "json", headers } = {}) {
  const options = { signal };
  if (body !== undefined) {
    Object.assign(options, { method: "POST", headers: headers ?? { "Content-Type": "application/json" }, body: headers ? body : JSON.stringify(body) });
  }
  let answer;
  try { answer = await fetch(path, options); } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; is it still running?");
  }
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? `The server answered ${answer.status}.`);
  return answer[as]();
}
function trouble(text) {
  byId("trouble").hidden = !text;
  byId("trouble").textContent = state.error = text;
}
byId("trouble").addEventListener("click", () => trouble(""));
// What a click starts: an error is told, never swallowed, and goes away with the next try.
const guarded = (job) => async (...given) => {
  try { trouble(""); return await job(...given); } catch (error) {
    if (error.name !== "AbortError") trouble(error.message);
    return undefined;
  }
};
async function busy(text, job) {
  const timer = setTimeout(() => { byId("busy").textContent = text; byId("busy").hidden = false; }, 150);
  try { return await job(); } finally { clearTimeout(timer); byId("busy").hidden = true; }
}
// The last of several requests for one place on the page: a new one ends the one before.
const requests = {};
function latest(place) {
  requests[place]?.abort();
  requests[place] = new AbortController();
  return requests[place].signal;
}

// ---- columns -----------------------------------------------------------------------------------------------------
function adopt(list) { // filters outlive a change of the columns: they are kept by value, not by code
  const before = new Map(columns);
  columns.clear();
  for (const column of list) {
    const old = before.get(column.name);
    columns.set(column.name, { ...column, data: null, loading: null, hidden: old?.hidden ?? new Set(), range: old?.range ?? null });
  }
}
function load(name) {
  const column = columns.get(name);
  column.loading ??= (async () => {
    const bytes = await ask(`api/columns/${encodeURIComponent(name)}?version=${edition}`, undefined, { as: "arrayBuffer" });
    column.data = column.kind === "number" ? new Float32Array(bytes) : new Uint16Array(bytes);
    if (column.kind === "category") tally(column);
    return column;
  })().catch((error) => { column.loading = null; throw error; });
  return column.loading;
}
function tally(column) {
  const { data, values } = column, counts = new Uint32Array(values.length + 1);
  for (let i = 0; i < count; i++) counts[data[i] < values.length ? data[i] : values.length]++;
  column.counts = counts;
  const ranked = values.map((_, code) => code).filter((code) => counts[code]);
  const plain = (code) => values[code] === "clean" || values[code] === "";
  const coloured = ranked.filter((code) => !plain(code));
  const known = coloured.length <= STYLES && slots.size <= STYLES && coloured.every((code) => slots.has(values[code]));
  // More values than styles: the most frequent have one, the rest are "others".
  const crowded = coloured.length > STYLES;
  const order = crowded ? [...coloured].sort((a, b) => counts[b] - counts[a]) : coloured;
  column.look = new Uint8Array(65536).fill(MISSING);
  values.forEach((_, code) => { column.look[code] = OTHERS; });
  order.slice(0, STYLES).forEach((code, place) => { column.look[code] = known ? slots.get(values[code]) : place; });
  column.rest = crowded ? order.slice(STYLES) : [];
  column.listed = [...(crowded ? order.slice(0, STYLES) : coloured), ...ranked.filter(plain)];
}
// One colour and shape a label, whichever column shows it; decisions have those of their buttons.
const slots = new Map();
function settle() {
  const used = new Set(["artifact", "heard", "label"].flatMap((name) => columns.get(name)?.values ?? []));
  const ranked = [...about.labels.filter((name) => used.has(name)), ...used];
  for (const name of ranked) if (name && name !== "clean" && !slots.has(name)) slots.set(name, slots.size);
}
async function reload(names) { // after labels or verdicts changed on the server
  const fresh = await ask("api/about");
  edition++;
  const kept = new Map([...columns].filter(([name, column]) => column.data && !names.includes(name)));
  adopt(fresh.columns);
  about.labels = fresh.labels;
  settle();
  for (const [name, old] of kept) {
    const column = columns.get(name);
    if (column && String(column.values) === String(old.values)) columns.set(name, Object.assign(column, { data: old.data, loading: old.loading, counts: old.counts, look: old.look, rest: old.rest, listed: old.listed }));
  }
}

// ---- which rows are shown ----------------------------------------------------------------------------------------
const active = (column) => column.range !== null || column.hidden.size > 0;

async function filter() {
  const wanted = [...columns.values()].filter((column) => active(column) || (words.length && column.kind === "category"));
  await Promise.all(wanted.map((column) => load(column.name)));
  shown.fill(1);
  for (const column of wanted) if (active(column)) (column.kind === "number" ? keepRange : keepValues)(column);
  for (const word of words) keepWord(word);
  visible = 0;
  for (let i = 0; i < count; i++) visible += shown[i];
  state.visible = visible;
  byId("count").textContent = visible < count ? `${amount(visible)} of ${amount(count)} shown` : `${plural(count, "row")}`;
  byId("all").hidden = visible === count && !words.length && ![...columns.values()].some(active);
  chips();
  arrange();
  describe();
}
function keepRange({ data, range, hidden }) {
  const [low, high] = range ?? [-Infinity, Infinity], none = !hidden.has(null) && range === null;
  for (let i = 0; i < count; i++) {
    const value = data[i];
    if (value !== value ? !none : value < low || value > high) shown[i] = 0;
  }
}
function keepValues({ data, values, hidden }) {
  const off = new Uint8Array(65536);
  values.forEach((name, code) => { off[code] = hidden.has(name) ? 1 : 0; });
  if (hidden.has(null)) off.fill(1, values.length);
  for (let i = 0; i < count; i++) if (off[data[i]]) shown[i] = 0;
}
function keepWord(word) { // in any category
  const met = new Uint8Array(count), found = new Uint8Array(65536);
  for (const { kind, data, values } of columns.values()) {
    if (kind !== "category" || !data) continue;
    found.fill(0);
    let any = false;
    values.forEach((name, code) => { if (name.toLowerCase().includes(word)) found[code] = any = 1; });
    if (any) for (let i = 0; i < count; i++) met[i] |= found[data[i]];
  }
  for (let i = 0; i < count; i++) shown[i] &= met[i];
}

// What a row is, from the columns that are loaded already: for the tip, before the server has answered.
function value(name, row) {
  const column = columns.get(name);
  if (!column?.data) return "";
  const at = column.data[row];
  return column.kind === "number" ? (Number.isNaN(at) ? "" : at.toPrecision(3)) : column.values[at] ?? "";
}

// ---- how a marker looks ------------------------------------------------------------------------------------------
const lookOf = (place) => {
  const colours = theme();
  if (columns.get(colour)?.kind === "number") return { fill: place < STEPS ? ramp(place / (STEPS - 1)) : colours.neutral, shape: "circle" };
  if (place >= STYLES) return { fill: colours.neutral, shape: "circle" };
  return { fill: colours.categories[place % colours.categories.length], shape: SHAPES[place % SHAPES.length] };
};
function labelLook(name) { // of a label in a list, whatever the map is coloured by
  const colours = theme(), place = slots.get(name);
  if (place === undefined || place >= STYLES || slots.size > STYLES) return { fill: colours.neutral, shape: "circle" };
  return { fill: colours.categories[place % colours.categories.length], shape: SHAPES[place % SHAPES.length] };
}
