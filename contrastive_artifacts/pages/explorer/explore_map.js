// The map as a thing to move in: the view, picking, arrow keys, the lasso, and what is drawn over the markers (rings,
// decisions, stars). Picking goes through a uniform grid of the positions, so that no move of the pointer looks at all.

const map = byId("map"), tip = byId("tip");
const HIT = 13; // pixels within which a marker is meant
const STEP = 3; // pixels that an arrow key moves at least; nearer ones need a closer view
const SHOWN_MARKS = 2500; // decisions drawn over the map at once
const view = { x: 0, y: 0, k: 1, fit: 1, radius: 3 };
let size = { width: 1, height: 1 }, box = [-1, -1, 1, 1], lassoing = false, chosen = new Uint32Array(0);
let trail = [], fence = []; // the lasso being drawn, in pixels; those that made the selection, on the map
let stars = [], ringed = []; // what rings and stars stand for: { row }, { x, y, id }

const screenX = (x) => (x - view.x) * view.k + size.width / 2;
const screenY = (y) => (view.y - y) * view.k + size.height / 2;
const rowX = (row) => screenX(points.x[row]), rowY = (row) => screenY(points.y[row]);

// ---- grid: rows by cell, from a counting sort --------------------------------------------------------------------
const grid = { side: 1, cell: 1, starts: null, rows: null };
const cellAt = (at, low) => Math.min(grid.side - 1, Math.max(0, Math.floor((at - low) / grid.cell)));

function buildGrid() {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < count; i++) {
    const x = points.x[i], y = points.y[i];
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  box = [x0, y0, x1, y1];
  grid.side = Math.min(1024, Math.max(1, Math.ceil(Math.sqrt(count / 3))));
  grid.cell = Math.max(x1 - x0, y1 - y0, 1e-6) / grid.side;
  const places = new Uint32Array(count);
  grid.starts = new Uint32Array(grid.side * grid.side + 1);
  for (let i = 0; i < count; i++) {
    places[i] = cellAt(points.y[i], y0) * grid.side + cellAt(points.x[i], x0);
    grid.starts[places[i] + 1]++;
  }
  for (let c = 1; c < grid.starts.length; c++) grid.starts[c] += grid.starts[c - 1];
  const next = grid.starts.slice();
  grid.rows = new Uint32Array(count);
  for (let i = 0; i < count; i++) grid.rows[next[places[i]]++] = i;
}
// Calls `visit` with every shown row whose cell meets the rectangle.
function within(xa, ya, xb, yb, visit) {
  if (!grid.rows || xb < box[0] || xa > box[2] || yb < box[1] || ya > box[3]) return;
  const [c0, c1, r0, r1] = [cellAt(xa, box[0]), cellAt(xb, box[0]), cellAt(ya, box[1]), cellAt(yb, box[1])];
  for (let r = r0; r <= r1; r++) {
    const stop = grid.starts[r * grid.side + c1 + 1];
    for (let at = grid.starts[r * grid.side + c0]; at < stop; at++) if (shown[grid.rows[at]]) visit(grid.rows[at]);
  }
}
function nearest(px, py, reach = HIT) {
  const x = view.x + (px - size.width / 2) / view.k, y = view.y - (py - size.height / 2) / view.k, far = reach / view.k;
  let best = -1, least = far * far;
  within(x - far, y - far, x + far, y + far, (row) => {
    const d = (points.x[row] - x) ** 2 + (points.y[row] - y) ** 2;
    if (d < least) [best, least] = [row, d];
  });
  return best;
}
// The nearest row in a quarter turn around the direction of the key; sideways distance counts double.
function neighbour(from, dx, dy) {
  const x = points.x[from], y = points.y[from], least = STEP / view.k;
  let best = -1, lowest = Infinity;
  for (let reach = 24 / view.k; lowest > reach; reach *= 2) { // beyond the square every way is longer than its half side
    within(x - reach, y - reach, x + reach, y + reach, (row) => {
      const across = points.x[row] - x, up = y - points.y[row], along = across * dx + up * dy, aside = Math.abs(across * dy - up * dx);
      if (row === from || along < least || aside > along || along + 2 * aside >= lowest) return;
      [best, lowest] = [row, along + 2 * aside];
    });
    if (reach > 2 * (box[2] - box[0] + box[3] - box[1])) break;
  }
  return best;
}
function central() {
  for (let reach = 20; reach < 4 * Math.max(size.width, size.height); reach *= 2) {
    const row = nearest(size.width / 2, size.height / 2, reach);
    if (row >= 0) return row;
  }
  return -1;
}

// ---- view --------------------------------------------------------------------------------------------------------
function measure() { // markers fill a fair part of the map at first and grow with the view
  const grown = Math.max(1, view.k / view.fit) ** 0.38;
  view.radius = Math.min(9, Math.min(6, Math.max(0.9, 0.55 * Math.sqrt((size.width * size.height) / Math.max(1, visible)))) * grown);
}
function fit() {
  const width = Math.max(box[2] - box[0], 1e-3), height = Math.max(box[3] - box[1], 1e-3);
  view.fit = Math.max(1e-9, Math.min((size.width - 50) / width, (size.height - 96) / height));
  Object.assign(view, { x: (box[0] + box[2]) / 2, y: (box[1] + box[3]) / 2, k: view.fit });
  draw();
}
function zoom(factor, px = size.width / 2, py = size.height / 2) {
  const k = Math.min(Math.max(view.k * factor, view.fit * 0.4), view.fit * 3000);
  view.x += (px - size.width / 2) * (1 / view.k - 1 / k);
  view.y -= (py - size.height / 2) * (1 / view.k - 1 / k);
  view.k = k;
  draw();
}
function reveal(x, y) { // glides there unless motion is unwelcome
  const px = screenX(x), py = screenY(y), margin = 48;
  const dx = Math.min(0, px - margin) + Math.max(0, px - size.width + margin), dy = Math.min(0, py - margin) + Math.max(0, py - size.height + margin);
  if (!dx && !dy) return mark();
  const far = Math.hypot(dx, dy) > Math.min(size.width, size.height) / 2; // from afar: into the middle
  const to = far ? [x, y] : [view.x + dx / view.k, view.y - dy / view.k], from = [view.x, view.y], start = performance.now(), turn = ++glide;
  const go = (now) => {
    if (turn !== glide) return;
    const t = calm.matches ? 1 : Math.min(1, Math.max(0, now - start) / 220), ease = t * (2 - t);
    [view.x, view.y] = [0, 1].map((n) => from[n] + (to[n] - from[n]) * ease);
    draw();
    if (t < 1) requestAnimationFrame(go);
  };
  go(start);
  return undefined;
}
let glide = 0;
function resize() {
  const rest = map.getBoundingClientRect(), whole = Math.abs(view.k - view.fit) < 1e-9 * view.fit;
  if (rest.width < 2 || (rest.width === size.width && rest.height === size.height)) return;
  size = { width: rest.width, height: rest.height };
  if (whole || view.k === 1) fit();
  draw();
}

// ---- over the markers --------------------------------------------------------------------------------------------
function overlay() {
  drawing.over = false;
  measure();
  const { context: g } = fitCanvas(map), ink = token("--text"), ground = token("--bg"), accent = token("--accent");
  g.clearRect(0, 0, size.width, size.height);
  const inside = (x, y) => x > -20 && y > -20 && x < size.width + 20 && y < size.height + 20;
  let left = SHOWN_MARKS;
  g.globalAlpha = said.size > 400 ? 0.4 : 1; // many decisions should not cover what they are about
  for (const [row, { decision }] of said) {
    const x = rowX(row), y = rowY(row);
    if (!shown[row] || !inside(x, y)) continue;
    if (--left < 0) break;
    decisionMark(g, decision, x, y, Math.max(3.5, view.radius + 2.5));
  }
  g.globalAlpha = 1;
  for (const outline_ of chosen.length ? fence : []) dashed(g, outline_.map(([x, y]) => [screenX(x), screenY(y)]), accent, 0.05);
  const numbered = []; // where numbers of hits would meet, the better one stands
  ringed.forEach((row, rank) => {
    const x = rowX(row), y = rowY(row), r = Math.max(6, view.radius + 3.5);
    if (!inside(x, y)) return;
    stroke(g, x, y, r, 4, ground);
    stroke(g, x, y, r, 1.8, accent);
    if (numbered.some(([a, b]) => Math.abs(a - x) < 13 && Math.abs(b - y) < 11)) return;
    numbered.push([x, y]);
    g.font = "600 10px system-ui, sans-serif";
    g.lineWidth = 3; g.strokeStyle = ground; g.fillStyle = ink; g.lineJoin = "round";
    g.strokeText(String(rank + 1), x + r + 1, y - r + 4);
    g.fillText(String(rank + 1), x + r + 1, y - r + 4);
  });
  for (const { x, y, id } of stars) starMark(g, screenX(x), screenY(y), id === state.query ? 11 : 8, ground, ink, accent);
  for (const [row, width] of [[selected, 2.2], [hovered, 1.5]]) if (row >= 0) emphasise(g, row, width, ground, row === selected && player.key === String(row) ? accent : ink);
  if (trail.length > 1) dashed(g, trail, accent, 0.12);
}
function dashed(g, corners, ink, filled) {
  g.beginPath();
  corners.forEach(([x, y]) => g.lineTo(x, y));
  g.closePath();
  g.fillStyle = ink; g.globalAlpha = filled; g.fill(); g.globalAlpha = 1;
  g.setLineDash([5, 4]); g.lineWidth = 1.5; g.strokeStyle = ink; g.stroke(); g.setLineDash([]);
}
function ring(g, x, y, r) { g.beginPath(); g.arc(x, y, r, 0, 2 * Math.PI); }
function stroke(g, x, y, r, width, colour_) { ring(g, x, y, r); g.lineWidth = width; g.strokeStyle = colour_; g.stroke(); }
function decisionMark(g, decision, x, y, r) { // a ring kept, a crossed ring rejected, a square relabelled
  g.strokeStyle = token(`--${decision}`);
  g.lineWidth = 1.6;
  if (decision === "relabel") { g.strokeRect(x - r, y - r, 2 * r, 2 * r); return; }
  ring(g, x, y, r);
  if (decision === "reject") { g.moveTo(x - r * 0.7, y + r * 0.7); g.lineTo(x + r * 0.7, y - r * 0.7); }
  g.stroke();
}
function starMark(g, x, y, r, ground, ink, fill) {
  g.beginPath();
  for (let n = 0; n < 10; n++) { const far = n % 2 ? r * 0.45 : r, turn = (n * Math.PI) / 5; g.lineTo(x + far * Math.sin(turn), y - far * Math.cos(turn)); }
  g.closePath();
  g.lineJoin = "round";
  g.lineWidth = 4; g.strokeStyle = ground; g.stroke();
  g.fillStyle = fill; g.fill();
  g.lineWidth = 1.3; g.strokeStyle = ink; g.stroke();
}
function emphasise(g, row, width, ground, ink) {
  const look = lookOf(styles[row]), path = new Path2D(outline(look.shape, Math.max(5.5, view.radius + 2)));
  g.save();
  g.translate(rowX(row), rowY(row));
  g.lineWidth = width + 3; g.strokeStyle = ground; g.stroke(path);
  g.fillStyle = look.fill; g.fill(path);
  g.lineWidth = width; g.strokeStyle = ink; g.stroke(path);
  g.restore();
}

// ---- hovering ----------------------------------------------------------------------------------------------------
let hoverTimer = 0;
function hover(row, px = 0, py = 0) {
  if (row !== hovered) {
    hovered = row;
    state.hovered = row >= 0 ? String(row) : "";
    map.classList.toggle("over", row >= 0);
    clearTimeout(hoverTimer);
    requests.tip?.abort();
    mark();
    if (row >= 0) {
      const known = [...columns.keys()].map((name) => [name, value(name, row)]).filter(([, text]) => text !== "");
      tip.replaceChildren(element("strong", { textContent: `row ${amount(row)}` }), rowsTable(known.slice(0, 6)));
      hoverTimer = setTimeout(() => ask(`api/rows/${row}`, undefined, { signal: latest("tip") }).then((info) => {
        if (row !== hovered) return;
        tip.replaceChildren(element("strong", { textContent: info.title }), element("div", { className: "soft", textContent: info.name }), rowsTable(facing(info)));
        tipTo(...tipAt);
      }, () => {}), 70); // a tip that fails says nothing: selecting the row tells
      player.hear(row);
    } else player.unhear();
  }
  tipAt = [px, py];
  if (row >= 0) tipTo(px, py);
  else tip.hidden = true;
}
let tipAt = [0, 0];
function tipTo(px, py) { // beside the pointer, and not over the panel if the map has room
  placeTip(tip, px, py);
  const over = tip.getBoundingClientRect(), rest = map.getBoundingClientRect();
  if (over.right > rest.right && px - 16 - over.width > rest.left) tip.style.left = `${px - 16 - over.width}px`;
}
const facing = (info) => [["time", info.time], ["heard", heardText(info)], ["said", info.decision ? `${info.decision} ${info.label}` : ""], ["source", info.source === info.name ? "" : info.source]].filter(([, text]) => text);

// ---- lasso -------------------------------------------------------------------------------------------------------
function choose(rows, outlines = []) {
  chosen = rows;
  fence = outlines;
  state.lasso = rows.length;
  mark();
  showChosen();
}
function closeLasso(more) { // the outline is painted once; a row is inside when its pixel is
  const outlined = trail;
  trail = [];
  if (outlined.length < 3) return mark();
  const mask = new OffscreenCanvas(Math.ceil(size.width), Math.ceil(size.height)).getContext("2d", { willReadFrequently: true });
  mask.beginPath();
  outlined.forEach(([x, y]) => mask.lineTo(x, y));
  mask.fill();
  const { data, width, height } = mask.getImageData(0, 0, mask.canvas.width, mask.canvas.height);
  const xs = outlined.map(([x]) => x), ys = outlined.map(([, y]) => y);
  const place = (px, py) => [view.x + (px - size.width / 2) / view.k, view.y - (py - size.height / 2) / view.k];
  const [xa, yb] = place(Math.min(...xs), Math.min(...ys)), [xb, ya] = place(Math.max(...xs), Math.max(...ys));
  const found = new Uint32Array(visible);
  let many = 0;
  for (let row = 0; row < count; row++) { // in the order of memory: faster than cell by cell when much is inside
    const x = points.x[row], y = points.y[row];
    if (!shown[row] || x < xa || x > xb || y < ya || y > yb) continue;
    const px = Math.floor((x - view.x) * view.k + size.width / 2), py = Math.floor((view.y - y) * view.k + size.height / 2);
    if (px >= 0 && py >= 0 && px < width && py < height && data[4 * (py * width + px) + 3] > 127) found[many++] = row;
  }
  const rows = found.slice(0, many);
  const drawn = outlined.map(([x, y]) => place(x, y));
  return more ? choose(Uint32Array.from(new Set([...chosen, ...rows])), [...fence, drawn]) : choose(rows, [drawn]);
}

// ---- pointer -----------------------------------------------------------------------------------------------------
const fingers = new Map();
let press = null;
const local = (event) => { const rest = map.getBoundingClientRect(); return [event.clientX - rest.left, event.clientY - rest.top]; };
const starAt = (px, py) => stars.find(({ x, y }) => Math.hypot(screenX(x) - px, screenY(y) - py) < 12);

map.addEventListener("pointerdown", (event) => {
  map.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, local(event));
  glide++;
  const draws = lassoing || event.shiftKey;
  press = fingers.size === 1 ? { at: local(event), moved: false, draws, more: lassoing && event.shiftKey } : press && { ...press, moved: true, draws: false };
  trail = [];
});
map.addEventListener("pointermove", (event) => {
  const [px, py] = local(event), before = fingers.get(event.pointerId);
  if (!before) return hover(nearest(px, py), event.clientX, event.clientY);
  if (!press || (!press.moved && Math.hypot(px - press.at[0], py - press.at[1]) < 4)) return undefined;
  if (!press.moved && press.draws) trail = [press.at];
  press.moved = true;
  hover(-1);
  fingers.set(event.pointerId, [px, py]);
  if (press.draws) {
    const last = trail[trail.length - 1];
    if (Math.hypot(px - last[0], py - last[1]) > 2) trail.push([px, py]);
    return mark();
  }
  map.classList.add("dragging");
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  view.x -= (px - before[0]) / view.k / fingers.size;
  view.y += (py - before[1]) / view.k / fingers.size;
  if (other) return zoom(Math.hypot(px - other[0], py - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1])), ...other);
  return draw();
});
function release(event) {
  fingers.delete(event.pointerId);
  if (fingers.size || !press) return;
  const { moved, draws, more } = press;
  press = null;
  map.classList.remove("dragging");
  if (event.type !== "pointerup") { trail = []; mark(); } else if (draws && moved) closeLasso(more);
  else if (!moved) {
    const [px, py] = local(event), star = starAt(px, py), row = nearest(px, py);
    if (star) openQuery(star.id);
    else select(row, { play: row >= 0 });
  }
}
map.addEventListener("pointerup", release);
map.addEventListener("pointercancel", release);
map.addEventListener("pointerleave", () => hover(-1));
map.addEventListener("wheel", (event) => {
  event.preventDefault();
  glide++;
  zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 18 : 1) * (event.ctrlKey ? 0.01 : 0.0016)), ...local(event));
}, { passive: false });
byId("closer").addEventListener("click", () => zoom(1.5));
byId("farther").addEventListener("click", () => zoom(1 / 1.5));
byId("fit").addEventListener("click", fit);
function toggleLasso(on = !lassoing) {
  lassoing = on;
  map.classList.toggle("lasso", on);
  byId("lasso").setAttribute("aria-pressed", String(on));
}
byId("lasso").addEventListener("click", () => toggleLasso());
