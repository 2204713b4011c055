// What is drawn over the markers: user labels, lassos, rings of hits, stars of queries, the hovered and the selected row.
import { fitCanvas, outline, state, token } from "../../core/html/base.js";
import { player } from "../shared/player.js";
import { shown } from "./filter.js";
import { drawing } from "./frames.js";
import { lookOf, styles } from "./looks.js";
import { paintNames } from "./names.js";
import { page, ringed, userLabels } from "./page.js";
import { map, measure, rowX, rowY, screenX, screenY, size, view } from "./view.js";

const MOST_LABELS = 2500; // drawn at once

export function overlay() {
  drawing.over = false;
  measure();
  const { context: g } = fitCanvas(map), ink = token("--text"), ground = token("--bg"), accent = token("--accent");
  g.clearRect(0, 0, size.width, size.height);
  const inside = (x, y) => x > -20 && y > -20 && x < size.width + 20 && y < size.height + 20;
  paintNames(g);
  let left = MOST_LABELS;
  g.globalAlpha = userLabels.size > 400 ? 0.4 : 1; // many labels should not cover the markers
  for (const [row, { decision }] of userLabels) {
    const x = rowX(row), y = rowY(row);
    if (!shown[row] || !inside(x, y)) continue;
    if (--left < 0) break;
    labelMark(g, decision, x, y, Math.max(3.5, view.radius + 2.5));
  }
  g.globalAlpha = 1;
  for (const corners of page.lasso.rows.length ? page.lasso.outlines : []) dashed(g, corners.map(([x, y]) => [screenX(x), screenY(y)]), accent, 0.05);
  const numbered = []; // where numbers of hits would overlap, only the best one is drawn
  ringed().forEach((row, rank) => {
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
  for (const { x, y, id } of page.stars) starMark(g, screenX(x), screenY(y), id === state.query ? 11 : 8, ground, ink, accent);
  for (const [row, width] of [[page.selected, 2.2], [page.hovered, 1.5]]) {
    if (row >= 0) emphasise(g, row, width, ground, row === page.selected && player.key === String(row) ? accent : ink);
  }
  if (page.outline.length > 1) dashed(g, page.outline, accent, 0.12);
}
function dashed(g, corners, ink, opacity) {
  g.beginPath();
  corners.forEach(([x, y]) => g.lineTo(x, y));
  g.closePath();
  g.fillStyle = ink; g.globalAlpha = opacity; g.fill(); g.globalAlpha = 1;
  g.setLineDash([5, 4]); g.lineWidth = 1.5; g.strokeStyle = ink; g.stroke(); g.setLineDash([]);
}
function ring(g, x, y, r) { g.beginPath(); g.arc(x, y, r, 0, 2 * Math.PI); }
function stroke(g, x, y, r, width, colour) { ring(g, x, y, r); g.lineWidth = width; g.strokeStyle = colour; g.stroke(); }
function labelMark(g, decision, x, y, r) { // a ring for keep, a crossed ring for reject, a square for relabel
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
