// What the colours mean, and what is shown: legend, range of a number, text, and the filters in force as chips.

const BARS = 64; // of the histogram of a number

// ---- colour ------------------------------------------------------------------------------------------------------
let wanted = "";
const recolour = guarded(async (name = colour) => {
  wanted = name;
  const column = await load(name);
  if (wanted !== name) return; // another one was chosen meanwhile
  colour = state.colour = name;
  byId("colour").value = name;
  if (column.kind === "number") {
    const { data, low, high } = column, span = high - low || 1;
    for (let i = 0; i < count; i++) {
      const v = data[i];
      styles[i] = v !== v ? STEPS : Math.min(STEPS - 1, Math.max(0, Math.round(((v - low) / span) * (STEPS - 1))));
    }
  } else for (let i = 0; i < count; i++) styles[i] = column.look[column.data[i]];
  paintStyles();
  legend();
  describe();
});
function choices() {
  const telling = ({ name, kind, values }) => kind === "number" || (values.length > 1 && (said.size || !["label", "decision"].includes(name)));
  byId("colour").replaceChildren(...[...columns.values()].filter(telling).map(({ name }) => element("option", { value: name, textContent: name.replaceAll("_", " ") })));
  byId("colour").value = colour;
}
byId("colour").addEventListener("change", (event) => recolour(event.target.value));

function legend() {
  const column = columns.get(colour), number = column?.kind === "number";
  if (!column?.data) return;
  byId("range").hidden = !number;
  byId("legend-hint").hidden = number;
  const items = number ? [] : column.listed.slice(0, 400).map((code) => entry(column, [column.values[code]], column.values[code] || "(none)", column.counts[code], column.look[code]));
  if (!number && column.rest.length) {
    const many = column.rest.reduce((sum, code) => sum + column.counts[code], 0);
    items.push(entry(column, column.rest.map((code) => column.values[code]), `${amount(column.rest.length)} others`, many, OTHERS));
  }
  const missing = number ? absent(column) : column.counts[column.values.length];
  if (missing) items.push(entry(column, [null], "missing", missing, number ? STEPS : MISSING));
  const at = [...byId("items").children].indexOf(document.activeElement?.parentElement);
  byId("items").replaceChildren(...items);
  byId("items").children[at]?.firstChild.focus(); // labels just said, or a click, must not throw the keyboard out of the list
  if (number) histogram(column);
}
function absent(column) {
  if (column.absent === undefined) column.absent = column.data.reduce((sum, v) => sum + (v !== v), 0);
  return column.absent;
}
function entry(column, names, text, many, place) {
  const button = element("button", { type: "button", title: text }, svg(lookOf(place)),
    element("span", { className: "text", textContent: text }), element("span", { className: "many", textContent: amount(many) }));
  button.setAttribute("aria-pressed", String(!names.every((name) => column.hidden.has(name))));
  button.addEventListener("click", (event) => {
    if (event.shiftKey || event.altKey) solo(column, names);
    else if (names.every((name) => column.hidden.has(name))) names.forEach((name) => column.hidden.delete(name));
    else names.forEach((name) => column.hidden.add(name));
    button.focus(); // not every browser does so on a click
    legend();
    refilter();
  });
  button.addEventListener("keydown", (event) => { // Tab leaves the list; arrows go through it
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    (by > 0 ? button.parentElement.nextSibling : button.parentElement.previousSibling)?.firstChild.focus();
  });
  return element("li", {}, button);
}
function solo(column, names) { // only these; once more: all again
  const others = [...column.values ?? [], null].filter((name) => !names.includes(name));
  const alone = names.every((name) => !column.hidden.has(name)) && others.every((name) => column.hidden.has(name));
  column.hidden = new Set(alone ? [] : others);
}

// ---- range of a number -------------------------------------------------------------------------------------------
const NOTCHES = 200;
const digits = (column, v) => (column.high - column.low >= 100 ? v.toFixed(0) : v.toFixed(2));
function histogram(column) {
  if (!column.bars) {
    const bars = new Uint32Array(BARS), span = column.high - column.low || 1;
    for (let i = 0; i < count; i++) { const v = column.data[i]; if (v === v) bars[Math.min(BARS - 1, Math.max(0, Math.floor(((v - column.low) / span) * BARS)))]++; }
    column.bars = bars;
  }
  const { context: g, width, height } = fitCanvas(byId("histogram")), top = Math.max(...column.bars, 1);
  const [low, high] = column.range ?? [column.low, column.high], at = (n) => column.low + (n / BARS) * (column.high - column.low);
  g.clearRect(0, 0, width, height);
  column.bars.forEach((many, n) => {
    const tall = many ? Math.max(2, Math.sqrt(many / top) * (height - 2)) : 0; // roots: rare values stay visible
    g.globalAlpha = at(n + 1) > low && at(n) < high ? 1 : 0.25;
    g.fillStyle = ramp((n + 0.5) / BARS);
    g.fillRect((n * width) / BARS, height - tall, width / BARS - 0.5, tall);
  });
  const notch = (v) => Math.round(((v - column.low) / (column.high - column.low || 1)) * NOTCHES);
  for (const [id, v] of [["low", low], ["high", high]]) {
    byId(id).value = notch(Math.min(column.high, Math.max(column.low, v)));
    byId(id).setAttribute("aria-valuetext", digits(column, v));
    byId(`${id}-text`).textContent = digits(column, Math.min(column.high, Math.max(column.low, v)));
  }
}
for (const id of ["low", "high"]) {
  byId(id).addEventListener("input", () => {
    const column = columns.get(colour), other = Number(byId(id === "low" ? "high" : "low").value);
    const own = id === "low" ? Math.min(Number(byId(id).value), other) : Math.max(Number(byId(id).value), other);
    const [a, b] = id === "low" ? [own, other] : [other, own], at = (n) => column.low + (n / NOTCHES) * (column.high - column.low);
    // A handle at its end leaves that side open, so that rounding loses no row.
    column.range = a === 0 && b === NOTCHES ? null : [a === 0 ? -Infinity : at(a), b === NOTCHES ? Infinity : at(b)];
    histogram(column);
    refilter();
  });
}

// ---- filters -----------------------------------------------------------------------------------------------------
let filterTimer = 0;
const runFilter = guarded(filter);
function refilter() { // with many rows a range that is being dragged is answered a few times a second
  clearTimeout(filterTimer);
  filterTimer = setTimeout(runFilter, count > 200000 ? 60 : 0);
}
byId("find").addEventListener("input", (event) => {
  words = event.target.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  refilter();
});
byId("find").addEventListener("keydown", (event) => { if (event.key === "Enter") map.focus(); });
function showAll() {
  for (const column of columns.values()) { column.hidden = new Set(); column.range = null; }
  byId("find").value = "";
  words = [];
  legend();
  return runFilter();
}
byId("all").addEventListener("click", () => { showAll(); map.focus(); });

function chips() { // a filter of a column that is not the colour would not be seen otherwise
  const said_ = (column) => {
    if (column.range) return `${digits(column, Math.max(column.low, column.range[0]))} – ${digits(column, Math.min(column.high, column.range[1]))}`;
    const left = (column.values ?? []).filter((name, code) => !column.hidden.has(name) && column.counts?.[code]);
    return left.length && left.length <= 2 ? left.map((name) => name || "(none)").join(", ") : `${column.hidden.size} hidden`;
  };
  byId("chips").replaceChildren(...[...columns.values()].filter(active).map((column) => {
    const text = `${column.name.replaceAll("_", " ")}: ${said_(column)}`;
    const button = element("button", { type: "button", textContent: `${text} ×`, title: `Take this filter away: ${text}` });
    button.addEventListener("click", () => { column.hidden = new Set(); column.range = null; legend(); runFilter(); map.focus(); });
    return element("li", {}, button);
  }));
  byId("within-label").hidden = !Object.keys(shownOnly() ?? {}).length;
}
// The category filters as a search takes them; a list that would be long is left out.
function shownOnly() {
  const where = {};
  for (const column of columns.values()) {
    if (column.kind !== "category" || !column.hidden.size) continue;
    const left = column.values.filter((name) => !column.hidden.has(name));
    if (left.length <= 200) where[column.name] = left;
  }
  return Object.keys(where).length ? where : null;
}

// The map in words.
function describe() {
  const column = columns.get(colour);
  if (!column?.data) return;
  const parts = column.kind === "number" ? [`from ${digits(column, column.low)} to ${digits(column, column.high)}`]
    : column.listed.slice(0, 12).map((code) => `${column.values[code] || "none"} ${amount(column.counts[code])}`);
  byId("map-text").textContent = `${plural(count, "row")}, ${amount(visible)} shown, coloured by ${colour.replaceAll("_", " ")}: ${parts.join(", ")}. ${about.map.method}`;
}
