// What every page uses: its data, the colour theme, the severity ramp, and elements made from text only.

export const read = (id) => JSON.parse(document.getElementById(id).textContent);
export const byId = (id) => document.getElementById(id);
// Attributes of the body (data-drawn, data-playing, ...) say what the canvases show, for tests and assistive scripts.
export const state = document.body.dataset;

const themes = read("theme");
export const darkQuery = matchMedia("(prefers-color-scheme: dark)");
export const theme = () => themes[darkQuery.matches ? "dark" : "light"];
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// An announcement: the module that owns it calls emit; modules that it does not import listen with on.
export function signal() {
  const listeners = [];
  return { on: (listener) => { listeners.push(listener); }, emit: (...values) => { for (const listener of listeners) listener(...values); } };
}

// [r, g, b] of "#rrggbb" or "rgb(r g b)".
export const rgb = (text) => (text.startsWith("#") ? text.match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16)) : text.match(/\d+/g).slice(0, 3).map(Number));
// Colour of a severity in [0, 1], as "rgb(r g b)".
export function ramp(value) {
  const stops = theme().ramp;
  const at = Math.min(Math.max(value, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  const channel = (stop, k) => parseInt(stops[stop].slice(1 + 2 * k, 3 + 2 * k), 16);
  const mix = [0, 1, 2].map((k) => Math.round(channel(low, k) + (channel(low + 1, k) - channel(low, k)) * (at - low)));
  return `rgb(${mix.join(" ")})`;
}

// Markers: seven hues times eight shapes make 56 styles, so that colour is never the only difference.
export const SHAPES = ["circle", "square", "triangle", "diamond", "cross", "inverted", "saltire", "bar"];
// SVG path of a marker of radius r around the origin.
export function outline(shape, r) {
  const path = (k, corners) => "M" + corners.map(([x, y]) => `${(x * r * k).toFixed(2)} ${(y * r * k).toFixed(2)}`).join("L") + "Z";
  if (shape === "square") return path(0.87, [[-1, -1], [1, -1], [1, 1], [-1, 1]]);
  if (shape === "triangle") return path(1.22, [[0, -1], [0.9, 0.72], [-0.9, 0.72]]);
  if (shape === "inverted") return path(1.22, [[0, 1], [0.9, -0.72], [-0.9, -0.72]]);
  if (shape === "bar") return path(1.15, [[-0.5, -1], [0.5, -1], [0.5, 1], [-0.5, 1]]);
  if (shape === "saltire") return path(0.98, [[0, -0.5], [0.68, -1.18], [1.18, -0.68], [0.5, 0], [1.18, 0.68], [0.68, 1.18], [0, 0.5], [-0.68, 1.18], [-1.18, 0.68], [-0.5, 0], [-1.18, -0.68], [-0.68, -1.18]]);
  if (shape === "diamond") return path(1.25, [[0, -1], [1, 0], [0, 1], [-1, 0]]);
  if (shape === "cross") return path(1.08, [[-0.36, -1], [0.36, -1], [0.36, -0.36], [1, -0.36], [1, 0.36], [0.36, 0.36], [0.36, 1], [-0.36, 1], [-0.36, 0.36], [-1, 0.36], [-1, -0.36], [-0.36, -0.36]]);
  return `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
}

// An element with properties and children. Strings become text nodes only: a name from a file cannot become markup.
export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// A table of [name, text] rows.
export const rowsTable = (rows) =>
  element("table", {}, ...rows.map(([k, v]) => element("tr", {}, element("th", { textContent: k, scope: "row" }), element("td", { textContent: v }))));

export function fillFacts(list, facts) {
  list.append(...facts.map(([k, v]) => element("div", {}, element("dt", { textContent: k }), element("dd", { textContent: v }))));
}

// Gives a canvas as many pixels as the screen shows of it; returns its context, scaled to CSS pixels, and its size in them.
export function fitCanvas(canvas) {
  const box = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(box.width * ratio)), height = Math.max(1, Math.round(box.height * ratio));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width: box.width, height: box.height };
}

// Shows a tooltip beside the pointer at (x, y), inside the window.
export function placeTip(tip, x, y) {
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.min(Math.max(4, y - box.height / 2), Math.max(4, innerHeight - box.height - 4))}px`;
}
