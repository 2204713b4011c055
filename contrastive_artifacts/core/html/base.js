"use strict";
// Shared by every page: its data, the theme in force, the severity ramp, and building elements from text only.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const byId = (id) => document.getElementById(id);
const themes = read("theme");
const darkQuery = matchMedia("(prefers-color-scheme: dark)");
const theme = () => themes[darkQuery.matches ? "dark" : "light"];
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function ramp(value) {
  const stops = theme().ramp;
  const at = Math.min(Math.max(value, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  const channel = (stop, k) => parseInt(stops[stop].slice(1 + 2 * k, 3 + 2 * k), 16);
  const mix = [0, 1, 2].map((k) => Math.round(channel(low, k) + (channel(low + 1, k) - channel(low, k)) * (at - low)));
  return `rgb(${mix.join(" ")})`;
}

// Markers: with the seven hues 35 looks, so that colour is never the only sign.
const SHAPES = ["circle", "square", "triangle", "diamond", "cross"];
function outline(shape, r) {
  const path = (k, corners) => "M" + corners.map(([x, y]) => `${(x * r * k).toFixed(2)} ${(y * r * k).toFixed(2)}`).join("L") + "Z";
  if (shape === "square") return path(0.87, [[-1, -1], [1, -1], [1, 1], [-1, 1]]);
  if (shape === "triangle") return path(1.22, [[0, -1], [0.9, 0.72], [-0.9, 0.72]]);
  if (shape === "diamond") return path(1.25, [[0, -1], [1, 0], [0, 1], [-1, 0]]);
  if (shape === "cross") return path(1.08, [[-0.36, -1], [0.36, -1], [0.36, -0.36], [1, -0.36], [1, 0.36], [0.36, 0.36], [0.36, 1], [-0.36, 1], [-0.36, 0.36], [-1, 0.36], [-1, -0.36], [-0.36, -0.36]]);
  return `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
}

// Strings only ever become text nodes: a name from a file cannot become markup.
function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const rowsTable = (rows) =>
  element("table", {}, ...rows.map(([k, v]) => element("tr", {}, element("th", { textContent: k, scope: "row" }), element("td", { textContent: v }))));

function fillFacts(list, facts) {
  list.append(...facts.map(([k, v]) => element("div", {}, element("dt", { textContent: k }), element("dd", { textContent: v }))));
}

function fitCanvas(canvas) {
  const box = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(box.width * ratio)), height = Math.max(1, Math.round(box.height * ratio));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width: box.width, height: box.height };
}

function placeTip(tip, x, y) {
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.min(Math.max(4, y - box.height / 2), Math.max(4, innerHeight - box.height - 4))}px`;
}
