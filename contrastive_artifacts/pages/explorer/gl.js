// Draws the markers with WebGL 2, up to a million. Positions and styles lie on the graphics card in one fixed shuffled
// order; an index buffer lists the shown rows first, then the hidden ones, so that any beginning of it is a fair sample.
// While the view moves, only as many markers are drawn as one frame allows (measured); when it rests, the others follow.
import { SHAPES, byId, rgb, state, token } from "../../core/html/base.js";
import { points } from "./columns.js";
import { filtered, shown } from "./filter.js";
import { draw, drawing, frameDue, request } from "./frames.js";
import { STEPS, lookOf, styles } from "./looks.js";
import { overlay } from "./overlay.js";
import { count, page } from "./page.js";
import { crowding, size, view } from "./view.js";

const BENEATH = 16; // added to the shape of markers that are drawn small, beneath the others
const SMALL = "0.62"; // size of those
const VERTEX = `#version 300 es
in vec2 place; in float style;
uniform vec2 centre, scale; uniform float extent, radius, faint; uniform sampler2D palette;
flat out vec3 fill; flat out int shape; flat out float size, reach;
void main() {
  vec4 look = texelFetch(palette, ivec2(int(style), 0), 0);
  int code = int(look.a * 255. + .5);
  bool beneath = code >= ${BENEATH};
  fill = look.rgb;
  shape = beneath ? code - ${BENEATH} : code;
  size = beneath && faint < .5 ? ${SMALL} : 1.;
  reach = radius * size;
  size = max(size * extent, min(extent, 2.));
  gl_PointSize = size;
  gl_Position = vec4((place - centre) * scale, faint > .5 ? .9 : beneath ? .5 : 0., 1); // the depth test puts faults on top
}`;
// Signed distances in pixels; the shapes are those of outline() in core/html/base.js.
const FRAGMENT = `#version 300 es
precision highp float;
flat in vec3 fill; flat in int shape; flat in float size, reach; out vec4 colour;
uniform float edge, opacity, faint; uniform vec3 ground, hidden;
float box(vec2 p, vec2 half_) { vec2 d = abs(p) - half_; return max(d.x, d.y); }
void main() {
  if (faint > .5) { colour = vec4(hidden, 1); return; }
  vec2 p = (gl_PointCoord - .5) * size;
  float d = length(p) - reach;
  if (reach >= 1.6) { // a dot of three pixels has no shape
    if (shape == 5) p.y = -p.y;
    if (shape == 6) p = mat2(.707, .707, -.707, .707) * p;
    if (shape == 1) d = box(p, vec2(reach * .87));
    else if (shape == 2 || shape == 5) d = max(dot(vec2(abs(p.x), -p.y), vec2(.886, .464)) - reach * .566, p.y - reach * .88);
    else if (shape == 3) d = (abs(p.x) + abs(p.y) - reach * 1.25) * .707;
    else if (shape == 4 || shape == 6) d = min(box(p, vec2(reach * 1.08, reach * .39)), box(p, vec2(reach * .39, reach * 1.08)));
    else if (shape == 7) d = box(p, vec2(reach * .58, reach * 1.15));
  }
  float outer = clamp(.5 - d + edge, 0., 1.) * opacity;
  if (outer < .02) discard;
  colour = vec4(mix(ground, fill, edge > 0. ? clamp(.5 - d, 0., 1.) : 1.) * outer, outer);
}`;

const HIDDEN_DRAWN = 30000; // hidden rows that are drawn, to show where they lie
const REST_MS = 140; // after the last movement
const dots = byId("dots");
let gl = null, program = null, uniforms = {}, buffers = {};
const order = new Uint32Array(count); // shuffled: place in the buffers -> row

function shuffle() { // Fisher and Yates, with xorshift32
  let seed = 0x9e3779b9;
  for (let i = 0; i < count; i++) order[i] = i;
  for (let i = count - 1; i > 0; i--) {
    seed ^= seed << 13; seed ^= seed >>> 17; seed ^= seed << 5;
    const j = (seed >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
}

// To be called when the positions are there.
export function startDrawing() {
  shuffle();
  connect();
}
function connect() { // also after the graphics card was lost
  gl = dots.getContext("webgl2", { alpha: false, antialias: false, depth: true, preserveDrawingBuffer: true, powerPreference: "high-performance" });
  state.webgl = gl ? "2" : "none";
  byId("no-map").hidden = Boolean(gl);
  if (!gl) return;
  program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.bindAttribLocation(program, 0, "place");
  gl.bindAttribLocation(program, 1, "style");
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(`The map cannot be drawn: ${gl.getProgramInfoLog(program)}`);
  gl.useProgram(program);
  uniforms = Object.fromEntries(["centre", "scale", "extent", "radius", "edge", "opacity", "faint", "ground", "hidden"].map((name) => [name, gl.getUniformLocation(program, name)]));
  buffers = { place: gl.createBuffer(), style: gl.createBuffer(), index: gl.createBuffer() };
  const places = new Float32Array(2 * count);
  order.forEach((row, at) => { places[2 * at] = points.x[row]; places[2 * at + 1] = points.y[row]; });
  gl.bindBuffer(gl.ARRAY_BUFFER, buffers.place);
  gl.bufferData(gl.ARRAY_BUFFER, places, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffers.style);
  gl.bufferData(gl.ARRAY_BUFFER, count, gl.DYNAMIC_DRAW);
  gl.enableVertexAttribArray(1);
  gl.vertexAttribPointer(1, 1, gl.UNSIGNED_BYTE, false, 0, 0);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers.index);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
  gl.enable(gl.DEPTH_TEST);
  gl.depthFunc(gl.LEQUAL);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  paintStyles();
  arrange();
}
dots.addEventListener("webglcontextlost", (event) => { event.preventDefault(); drawing.fence = null; gl = null; });
dots.addEventListener("webglcontextrestored", connect);

function arrange() { // the index buffer: shown rows first, both parts in the shuffled order
  draw();
  if (!gl) return;
  const index = new Uint32Array(count);
  let front = 0, back = page.visible;
  for (let at = 0; at < count; at++) index[shown[order[at]] ? front++ : back++] = at;
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, index, gl.DYNAMIC_DRAW);
}
filtered.on(arrange);
export function paintStyles() {
  draw();
  if (!gl) return;
  const mixed = new Uint8Array(count);
  for (let at = 0; at < count; at++) mixed[at] = styles[order[at]];
  gl.bindBuffer(gl.ARRAY_BUFFER, buffers.style);
  gl.bufferSubData(gl.ARRAY_BUFFER, 0, mixed);
  const palette = new Uint8Array(256 * 4);
  for (let place = 0; place <= STEPS; place++) {
    const { fill, shape, beneath } = lookOf(place);
    palette.set([...rgb(fill), SHAPES.indexOf(shape) + (beneath ? BENEATH : 0)], 4 * place);
  }
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, palette);
}
const unit = (text) => rgb(text).map((part) => part / 255);

// ---- frames ------------------------------------------------------------------------------------------------------
function tick(now) {
  if (drawing.fence) { // frames never queue up on the graphics card: a newer view would have to wait for them
    if (gl && gl.getSyncParameter(drawing.fence, gl.SYNC_STATUS) !== gl.SIGNALED && now - drawing.issued < 1000) { request(); if (drawing.over && !drawing.stale) overlay(); return; }
    const cost = performance.now() - drawing.issued;
    if (cost > 30) drawing.budget = Math.max(12000, drawing.budget * Math.max(0.5, 24 / cost));
    else if (cost < 19 && drawing.full) drawing.budget = Math.min(4e6, drawing.budget * 1.25);
    gl?.deleteSync(drawing.fence);
    drawing.fence = null;
  }
  const resting = now - drawing.moved > REST_MS;
  if (drawing.stale || drawing.over) overlay();
  if (drawing.stale) { drawing.stale = false; drawing.done = 0; paintPoints(true); }
  else if (drawing.done < page.visible && resting) paintPoints(false);
  state.drawn = drawing.done;
  if (gl && drawing.done < page.visible) request();
}
frameDue.on(tick);

// Draws markers: the first ones of a new view, or more of the present one.
function paintPoints(fresh) {
  if (!gl) { drawing.done = page.visible; return; }
  const ratio = devicePixelRatio || 1, radius = view.radius * ratio;
  if (fresh) {
    const width = Math.max(1, Math.round(size.width * ratio)), height = Math.max(1, Math.round(size.height * ratio));
    if (dots.width !== width || dots.height !== height) Object.assign(dots, { width, height });
    gl.viewport(0, 0, width, height);
    const ground = unit(token("--bg"));
    gl.clearColor(...ground, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniform2f(uniforms.centre, view.x, view.y);
    gl.uniform2f(uniforms.scale, (2 * view.k) / size.width, (2 * view.k) / size.height);
    gl.uniform3f(uniforms.ground, ...ground);
    gl.uniform3f(uniforms.hidden, ...unit(token("--line")));
    const edge = view.radius > 2.2 ? 0.9 * ratio : 0;
    gl.uniform1f(uniforms.edge, edge);
    gl.uniform1f(uniforms.opacity, 0.94 / (1 + 0.45 * crowding())); // where more rows lie it is darker
    const ghosts = Math.min(count - page.visible, HIDDEN_DRAWN);
    if (ghosts) {
      gl.uniform1f(uniforms.faint, 1);
      gl.uniform1f(uniforms.extent, Math.max(2, 1.5 * ratio));
      gl.drawElements(gl.POINTS, ghosts, gl.UNSIGNED_INT, 4 * page.visible);
    }
    gl.uniform1f(uniforms.faint, 0);
    gl.uniform1f(uniforms.radius, radius);
    gl.uniform1f(uniforms.extent, radius < 1.6 ? 2 * radius + 1 : 2.5 * radius + 2 * edge + 1);
    drawing.frames++;
  }
  const many = Math.min(page.visible - drawing.done, Math.round(fresh ? drawing.budget : Math.max(drawing.budget, page.visible / 16)));
  if (many > 0) gl.drawElements(gl.POINTS, many, gl.UNSIGNED_INT, 4 * drawing.done);
  drawing.full = many >= 0.95 * Math.round(drawing.budget);
  drawing.done += Math.max(0, many);
  drawing.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  drawing.issued = performance.now();
  gl.flush();
  request();
}
