// The map: what is drawn, what is hidden, what is heard. Body data attributes (drawn, visible, hovered, selected,
// playing, sound) tell tests and assistive scripts what the canvas shows.

const data = read("data");
const points = data.points;
const count = points.x.length;
const canvas = byId("map"), tip = byId("tip"), state = document.body.dataset;
const BINS = 5, OTHERS = 35, HIT = 14; // 7 hues x 5 shapes = 35 styles; pixels within which a point is meant
const clean = data.artifacts.indexOf("clean");

// ---- what a point belongs to, in each of the three ways to colour -------------------------------------------------
const bins = (i) => (points.artifact[i] === clean ? BINS : Math.min(Math.floor(points.severity[i] * BINS), BINS - 1));
const modes = {
  artifact: { names: data.artifacts, of: (i) => points.artifact[i], hidden: new Set() },
  severity: {
    names: [...Array.from({ length: BINS }, (_, b) => `${(b / BINS).toFixed(1)} – ${((b + 1) / BINS).toFixed(1)}`), "clean"],
    of: bins, hidden: new Set(),
  },
  source: {
    names: data.sources.length > OTHERS ? [...data.sources.slice(0, OTHERS), `${data.sources.length - OTHERS} more sources`] : data.sources,
    of: (i) => Math.min(points.source[i], OTHERS), hidden: new Set(),
  },
};
let mode = "artifact", query = "";

function style(group, severity = null) {
  const colours = theme();
  if (mode === "severity") return group === BINS ? { fill: colours.neutral, shape: "circle" } : { fill: ramp(severity ?? (group + 0.5) / BINS), shape: "circle" };
  if ((mode === "artifact" && group === clean) || (mode === "source" && group === OTHERS)) return { fill: colours.neutral, shape: "circle" };
  const place = mode === "artifact" && clean >= 0 && group > clean ? group - 1 : group;
  return { fill: colours.categories[place % colours.categories.length], shape: SHAPES[place % SHAPES.length] };
}
const styleOf = (i) => style(modes[mode].of(i), mode === "severity" ? Math.round(points.severity[i] * 40) / 40 : null);

// ---- which points are shown --------------------------------------------------------------------------------------
const shown = new Uint8Array(count);
const words = Array.from({ length: count }, (_, i) =>
  [points.id[i], data.artifacts[points.artifact[i]], data.sources[points.source[i]], data.corpora[points.corpus[i]]].join("\n").toLowerCase());

function filter() {
  let visible = 0;
  for (let i = 0; i < count; i++) {
    shown[i] = Object.values(modes).every((m) => !m.hidden.has(m.of(i))) && words[i].includes(query) ? 1 : 0;
    visible += shown[i];
  }
  const filtered = visible < count;
  byId("count").textContent = filtered ? `${visible.toLocaleString()} of ${count.toLocaleString()} clips` : `${count.toLocaleString()} clips`;
  byId("all").hidden = !filtered;
  state.visible = visible;
  if (hovered >= 0 && !shown[hovered]) hover(-1);
  draw();
}

function legend() {
  const m = modes[mode], totals = new Array(m.names.length).fill(0);
  for (let i = 0; i < count; i++) totals[m.of(i)]++;
  const items = m.names.map((name, group) => {
    if (!totals[group]) return null;
    const mark = svg(style(group));
    const button = element("button", { type: "button", title: name },
      mark, element("span", { className: "text", textContent: name || "(none)" }), element("span", { className: "many", textContent: totals[group].toLocaleString() }));
    button.setAttribute("aria-pressed", String(!m.hidden.has(group)));
    button.addEventListener("click", (event) => {
      if (event.shiftKey || event.altKey) m.names.forEach((_, g) => (g === group ? m.hidden.delete(g) : m.hidden.add(g)));
      else if (!m.hidden.delete(group)) m.hidden.add(group);
      [...byId("items").children].forEach((item) => item.firstChild.setAttribute("aria-pressed", String(!m.hidden.has(Number(item.dataset.group)))));
      filter();
    });
    const item = element("li", {}, button);
    item.dataset.group = group;
    return item;
  });
  byId("items").replaceChildren(...items.filter(Boolean));
  byId("gradient").hidden = mode !== "severity";
  byId("gradient-bar").style.background = `linear-gradient(90deg, ${theme().ramp.join(",")})`;
}

// ---- view: x, y in the middle of the canvas, k pixels per unit ---------------------------------------------------
const extent = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
const [x0, x1] = extent(points.x), [y0, y1] = extent(points.y);
const span = Math.max(x1 - x0, y1 - y0) || 1;
const view = { x: 0, y: 0, k: 1, fit: 1 };
let size = { width: 1, height: 1 };
const screenX = (i) => (points.x[i] - view.x) * view.k + size.width / 2;
const screenY = (i) => (view.y - points.y[i]) * view.k + size.height / 2;

function fit() {
  const box = canvas.getBoundingClientRect();
  view.fit = Math.min((box.width - 70) / Math.max(x1 - x0, span * 1e-3), (box.height - 120) / Math.max(y1 - y0, span * 1e-3));
  view.fit = Math.max(view.fit, 1e-9);
  Object.assign(view, { x: (x0 + x1) / 2, y: (y0 + y1) / 2, k: view.fit });
  draw();
}

function zoom(factor, px = size.width / 2, py = size.height / 2) {
  const k = Math.min(Math.max(view.k * factor, view.fit * 0.4), view.fit * 400);
  view.x += (px - size.width / 2) * (1 / view.k - 1 / k);
  view.y -= (py - size.height / 2) * (1 / view.k - 1 / k);
  view.k = k;
  draw();
}

// ---- drawing -----------------------------------------------------------------------------------------------------
let hovered = -1, selected = -1, frame = 0;
const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => ((a * 2654435761) >>> 0) - ((b * 2654435761) >>> 0));
const layer = element("canvas"); // all points; hovering and playing only draw over it
let stale = true;
const mark = () => { frame ||= requestAnimationFrame(() => { frame = 0; paint(); }); };
const draw = () => { stale = true; mark(); };

function paintPoints(radius, edge) {
  stale = false;
  layer.width = canvas.width;
  layer.height = canvas.height;
  const g = layer.getContext("2d"), ratio = devicePixelRatio || 1;
  g.scale(ratio, ratio);
  g.fillStyle = token("--line");
  for (let i = 0; i < count; i++) if (!shown[i]) g.fillRect(screenX(i) - 1, screenY(i) - 1, 2, 2);
  const stamps = new Map(); // one prepared picture per style: tens of thousands of points stay fluent
  let drawn = 0;
  for (const i of order) { // in a fixed shuffled order, so that no group always lies on top
    if (!shown[i]) continue;
    const x = screenX(i), y = screenY(i);
    if (x < -20 || y < -20 || x > size.width + 20 || y > size.height + 20) continue;
    const look = styleOf(i), key = look.fill + look.shape;
    let picture = stamps.get(key);
    if (!picture) stamps.set(key, (picture = stamp(look, radius, edge)));
    g.drawImage(picture, x - picture.half, y - picture.half, 2 * picture.half, 2 * picture.half);
    drawn++;
  }
  state.drawn = drawn;
}

function paint() {
  const before = `${canvas.width} ${canvas.height}`, fitted = fitCanvas(canvas), g = fitted.context;
  size = fitted;
  const radius = Math.min(Math.max(8.2 - 1.5 * Math.log10(count), 2.6), 6) * Math.min(1.7, Math.max(0.8, (view.k / view.fit) ** 0.25));
  const edge = token("--bg"), strong = token("--text");
  if (stale || before !== `${canvas.width} ${canvas.height}`) paintPoints(radius, edge);
  g.clearRect(0, 0, size.width, size.height);
  g.drawImage(layer, 0, 0, size.width, size.height);
  const focus = hovered >= 0 ? hovered : selected;
  if (focus >= 0) { // thin rings: the other clips of the same source
    g.strokeStyle = strong; g.globalAlpha = 0.55; g.lineWidth = 1;
    for (let i = 0; i < count; i++) if (shown[i] && i !== focus && points.source[i] === points.source[focus]) circle(g, i, radius + 2.5);
    g.globalAlpha = 1;
  }
  for (const [i, width] of [[selected, 2], [hovered, 1.5]]) if (i >= 0) emphasise(g, i, radius + 1.5, width, edge, strong);
  if (player.point >= 0) {
    const accent = token("--accent");
    emphasise(g, player.point, radius + 1.5, 2, edge, accent);
    g.strokeStyle = accent; g.lineWidth = 3; g.beginPath();
    g.arc(screenX(player.point), screenY(player.point), radius + 8, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * player.progress());
    g.stroke();
  }
}

function stamp({ fill, shape }, radius, edge) {
  const ratio = devicePixelRatio || 1, half = Math.ceil(radius * 1.6) + 1;
  const picture = element("canvas", { width: Math.ceil(2 * half * ratio), height: Math.ceil(2 * half * ratio) });
  const g = picture.getContext("2d"), path = new Path2D(outline(shape, radius));
  g.scale(ratio, ratio);
  g.translate(half, half);
  g.fillStyle = fill; g.strokeStyle = edge; g.lineWidth = 1;
  g.globalAlpha = 0.9;
  g.fill(path);
  g.stroke(path);
  picture.half = half;
  return picture;
}

function circle(g, i, r) { g.beginPath(); g.arc(screenX(i), screenY(i), r, 0, 2 * Math.PI); g.stroke(); }

function emphasise(g, i, r, width, edge, colour) {
  const look = styleOf(i), path = new Path2D(outline(look.shape, r));
  g.save();
  g.translate(screenX(i), screenY(i));
  g.lineWidth = width + 3; g.strokeStyle = edge; g.stroke(path);
  g.fillStyle = look.fill; g.fill(path);
  g.lineWidth = width; g.strokeStyle = colour; g.stroke(path);
  g.restore();
}

// ---- facts -------------------------------------------------------------------------------------------------------
const isClean = (i) => points.artifact[i] === clean;
const heading = (i) => data.artifacts[points.artifact[i]] + (isClean(i) ? "" : ` · severity ${points.severity[i].toFixed(2)}`);
const perSource = new Array(data.sources.length).fill(0);
points.source.forEach((source) => perSource[source]++);
const facts = (i) => [["source", data.sources[points.source[i]]], ["corpus", data.corpora[points.corpus[i]]], ...points.params[i]].filter(([, v]) => v !== "");

function card(i) {
  byId("hint").hidden = i >= 0;
  byId("clip").hidden = i < 0;
  if (i < 0) return;
  const look = styleOf(i);
  byId("mark-path").setAttribute("d", outline(look.shape, 5.5));
  byId("mark-path").setAttribute("fill", look.fill);
  byId("clip-title").textContent = heading(i);
  byId("meter").hidden = isClean(i);
  byId("meter-fill").style.width = `${100 * points.severity[i]}%`;
  byId("meter-fill").style.background = ramp(points.severity[i]);
  const same = perSource[points.source[i]] - 1, rows = facts(i);
  if (same > 0) rows.splice(rows.findIndex(([k]) => k === "source") + 1, 0, ["", `${same.toLocaleString()} more of this source, ringed`]);
  byId("clip-facts").replaceChildren(rowsTable([["clip", points.id[i]], ...rows]));
  byId("play").disabled = points.clip[i] < 0;
  byId("play").textContent = points.clip[i] < 0 ? "No sound" : player.point === i ? "Stop" : "Play";
  wave();
}

function hover(i, px = 0, py = 0) {
  if (i !== hovered) {
    hovered = i;
    state.hovered = i >= 0 ? points.id[i] : "";
    canvas.classList.toggle("over", i >= 0);
    if (i >= 0) {
      const rows = facts(i);
      tip.replaceChildren(element("strong", { textContent: heading(i) }), rowsTable(rows.filter(([k]) => k !== "corpus").slice(0, 7)));
      if (player.enabled) player.playSoon(i);
    }
    card(i >= 0 ? i : selected);
    mark();
  }
  if (i >= 0) placeTip(tip, px, py);
  else tip.hidden = true;
}

function select(i, speak = false) {
  selected = i;
  state.selected = i >= 0 ? points.id[i] : "";
  if (i >= 0 && speak) byId("say").textContent = `${points.id[i]}: ${heading(i)}. ${facts(i).map((row) => row.join(" ")).join(", ")}`;
  card(i);
  mark();
}

function nearest(px, py) {
  let best = -1, least = HIT * HIT;
  for (let i = 0; i < count; i++) {
    if (!shown[i]) continue;
    const d = (screenX(i) - px) ** 2 + (screenY(i) - py) ** 2;
    if (d < least) [best, least] = [i, d];
  }
  return best;
}

// The nearest clip in a quarter turn around the direction of the key; sideways distance counts double.
function neighbour(from, dx, dy) {
  let best = -1, least = Infinity;
  for (let i = 0; i < count; i++) {
    if (!shown[i] || i === from) continue;
    const x = screenX(i) - screenX(from), y = screenY(i) - screenY(from);
    const along = x * dx + y * dy, across = Math.abs(x * dy - y * dx);
    if (along <= 0 || across > along) continue;
    if (along + 2 * across < least) [best, least] = [i, along + 2 * across];
  }
  return best;
}
