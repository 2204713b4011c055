// One row per artifact, one cell per severity (the first is the clean clip): spectrogram, 20 ms of waveform, sound.
import { byId, darkQuery, element, fillFacts, fitCanvas, placeTip, read, rowsTable, state, token } from "../../core/html/base.js";
import { change, drawLevels, play, stop } from "../shared/cells.js";

const data = read("data");
const cells = [];

const seconds = (value) => `${value.toFixed(2)} s`;

function build() {
  for (const row of data.rows) {
    const line = element("div", { className: "cells" });
    const about = element("div", { className: "about" },
      element("h2", { textContent: row.name }), element("span", { className: "family", textContent: row.family }),
      element("p", { textContent: row.scale }), element("p", { textContent: row.synonyms.join(" · ") }));
    const section = element("section", { className: "row", ariaLabel: row.name }, about, line);
    row.cells.forEach((cell, column) => {
      const label = column ? `severity ${cell.severity}` : "clean";
      const button = element("button", { className: "cell", type: "button", ariaLabel: `${row.name}, ${label}` },
        element("canvas", { className: "picture" }), element("canvas", { className: "detail" }),
        element("span", { className: "name" }, element("b", { textContent: label })));
      button.setAttribute("aria-pressed", "false");
      const playing = `${row.name} ${column ? cell.severity : "clean"}`;
      const item = { row, cell, column, button, section, index: cells.length, name: row.name, sound: cell.sound, playing };
      cells.push(item);
      button.addEventListener("click", () => play(item));
      button.addEventListener("pointerenter", (event) => tip(item, event));
      button.addEventListener("pointerleave", () => { byId("tip").hidden = true; });
      line.append(button);
    });
    byId("rows").append(section);
  }
}

function draw(item) {
  const [picture, detail] = item.button.querySelectorAll("canvas");
  drawPicture(picture, item.cell);
  drawDetail(detail, item.cell);
}

function drawPicture(canvas, cell) {
  const { context: g, width: w, height: h } = drawLevels(canvas, cell.picture, data.bands);
  g.fillStyle = token("--accent"); // touched segments along the lower edge, unless they cover the whole clip
  [...cell.touched].forEach((mark, n, all) => { if (mark === "1") g.fillRect((n / all.length) * w, h - 3, w / all.length + 0.5, 3); });
}

function drawDetail(canvas, cell) {
  const { context: g, width, height } = fitCanvas(canvas);
  g.clearRect(0, 0, width, height);
  const top = Math.max(...cell.detail.flat().map(Math.abs), 1);
  cell.detail.forEach((points, which) => {
    g.strokeStyle = token(which ? "--accent" : "--soft");
    g.lineWidth = which ? 1.2 : 1;
    g.beginPath();
    points.forEach((v, n) => g.lineTo((n / Math.max(1, points.length - 1)) * width, height / 2 - (v / top) * (height / 2 - 2)));
    g.stroke();
  });
}

function tip(item, event) {
  const { row, cell, column } = item;
  const rows = [...cell.params, ["waveform", `20 ms from ${seconds(cell.at_s)}; grey is clean`], ["touched", `${cell.segments} segment(s)`]];
  byId("tip").replaceChildren(element("strong", { textContent: `${row.name} ${column ? cell.severity : "clean"}` }), rowsTable(rows));
  placeTip(byId("tip"), event.clientX, event.clientY);
}

// ---- keys and filter -----------------------------------------------------------------------------------------------
let before = null; // the damaged cell to which C returns
document.addEventListener("keydown", (event) => {
  if (event.target === byId("find") || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = cells.find((item) => item.button === document.activeElement);
  const width = data.severities.length + 1;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width }[event.key];
  if (step) {
    let to = at ? at.index + step : 0;
    while (cells[to]?.section.hidden) to += step;
    cells[to]?.button.focus();
  } else if (event.key === " ") stop();
  else if (event.key.toLowerCase() === "c" && at) {
    const clean = cells[at.index - at.column];
    const other = at.column ? clean : before?.row === at.row ? before : cells[at.index + width - 1];
    if (at.column) before = at;
    other.button.focus();
    change(other);
  } else if (event.key === "/") byId("find").focus();
  else return;
  event.preventDefault();
});
byId("find").addEventListener("input", (event) => {
  const query = event.target.value.trim().toLowerCase();
  for (const section of document.querySelectorAll(".row")) section.hidden = !section.textContent.toLowerCase().includes(query);
  const many = document.querySelectorAll(".row:not([hidden])").length;
  state.shown = String(many);
  byId("none").hidden = many > 0;
  byId("none").textContent = `No artifact is called “${event.target.value.trim()}”, and no synonym, family or scale has it.`;
});

fillFacts(byId("facts"), data.facts);
build();
const inView = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) draw(cells.find((item) => item.button === entry.target));
}, { rootMargin: "300px" });
cells.forEach((item) => inView.observe(item.button));
const redraw = () => cells.forEach((item) => { inView.unobserve(item.button); inView.observe(item.button); });
darkQuery.addEventListener("change", redraw);
addEventListener("resize", redraw);
state.drawn = String(cells.length);
state.shown = String(data.rows.length);
