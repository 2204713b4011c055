// Drawing the map: all clips on a layer of their own, and over it the hovered, the selected and the playing clip.
import { element, fitCanvas, outline, state, token } from "../../core/html/base.js";
import { soundChanged, soundMoved } from "../shared/player.js";
import { playing, progress } from "./playing.js";
import { count, points, selection, shown, styleOf } from "./points.js";
import { forgetNames, paintNames } from "./names.js";
import { canvas, screenX, screenY, size, view, viewChanged } from "./view.js";

// In a fixed shuffled order, so that no group always lies on top.
const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => ((a * 2654435761) >>> 0) - ((b * 2654435761) >>> 0));
const layer = element("canvas");
const SMALL = 0.65; // size of the clips that are drawn beneath
let stale = true, frame = 0;

export const mark = () => { frame ||= requestAnimationFrame(() => { frame = 0; paint(); }); }; // what lies over the clips changed
export const draw = () => { stale = true; forgetNames(); mark(); }; // the clips changed
viewChanged.on(() => { stale = true; mark(); });
soundChanged.on(mark);
soundMoved.on(mark);

function paintPoints(radius, edge) {
  stale = false;
  layer.width = canvas.width;
  layer.height = canvas.height;
  const g = layer.getContext("2d"), ratio = devicePixelRatio || 1;
  g.scale(ratio, ratio);
  g.fillStyle = token("--line");
  for (let i = 0; i < count; i++) if (!shown[i]) g.fillRect(screenX(i) - 1, screenY(i) - 1, 2, 2);
  const stamps = new Map(); // one picture per style, drawn many times: fast enough for tens of thousands of clips
  let drawn = 0;
  const beneath = order.filter((i) => shown[i] && styleOf(i).beneath), above = order.filter((i) => shown[i] && !styleOf(i).beneath);
  for (const i of [...beneath, ...above]) {
    const x = screenX(i), y = screenY(i);
    if (x < -20 || y < -20 || x > size.width + 20 || y > size.height + 20) continue;
    const look = styleOf(i), key = look.fill + look.shape;
    let picture = stamps.get(key);
    if (!picture) stamps.set(key, (picture = stamp(look, look.beneath ? SMALL * radius : radius, edge)));
    g.drawImage(picture, x - picture.half, y - picture.half, 2 * picture.half, 2 * picture.half);
    drawn++;
  }
  state.drawn = drawn;
}

function paint() {
  const before = `${canvas.width} ${canvas.height}`, { context: g, width, height } = fitCanvas(canvas);
  Object.assign(size, { width, height });
  const radius = Math.min(Math.max(8.2 - 1.5 * Math.log10(count), 2.6), 6) * Math.min(1.7, Math.max(0.8, (view.k / view.fit) ** 0.25));
  const edge = token("--bg"), strong = token("--text"), { hovered, selected } = selection;
  if (stale || before !== `${canvas.width} ${canvas.height}`) paintPoints(radius, edge);
  g.clearRect(0, 0, size.width, size.height);
  g.drawImage(layer, 0, 0, size.width, size.height);
  paintNames(g);
  const focus = hovered >= 0 ? hovered : selected;
  if (focus >= 0) { // thin rings: the other clips of the same source
    g.strokeStyle = strong; g.globalAlpha = 0.55; g.lineWidth = 1;
    for (let i = 0; i < count; i++) if (shown[i] && i !== focus && points.source[i] === points.source[focus]) circle(g, i, radius + 2.5);
    g.globalAlpha = 1;
  }
  for (const [i, line] of [[selected, 2], [hovered, 1.5]]) if (i >= 0) emphasise(g, i, radius + 1.5, line, edge, strong);
  if (playing() >= 0) {
    const accent = token("--accent");
    emphasise(g, playing(), radius + 1.5, 2, edge, accent);
    g.strokeStyle = accent; g.lineWidth = 3; g.beginPath();
    g.arc(screenX(playing()), screenY(playing()), radius + 8, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * progress());
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

function emphasise(g, i, r, line, edge, colour) {
  const look = styleOf(i), path = new Path2D(outline(look.shape, r));
  g.save();
  g.translate(screenX(i), screenY(i));
  g.lineWidth = line + 3; g.strokeStyle = edge; g.stroke(path);
  g.fillStyle = look.fill; g.fill(path);
  g.lineWidth = line; g.strokeStyle = colour; g.stroke(path);
  g.restore();
}
