// One row per hit: rank, spectrogram, recording, time, score; a click plays it.
import { byId, darkQuery, element, fillFacts, read, state } from "../../core/html/base.js";
import { drawLevels, play, stop } from "../shared/cells.js";

const data = read("data");
const items = [];

data.rows.forEach((row) => {
  const rank = row.score === null ? "?" : String(items.filter((item) => item.row.score !== null).length + 1);
  const score = row.score === null ? "the query" : `similarity ${row.score.toFixed(3)}`;
  const facts = row.facts.map(([k, v]) => `${k} ${v}`).join(" · ");
  const button = element("button", { className: "hit", type: "button" },
    element("span", { className: "rank", textContent: rank }), element("canvas"),
    element("span", { className: "about" }, element("strong", { textContent: row.name }),
      element("span", { textContent: [row.time, score].filter(Boolean).join(" · ") }), element("span", { textContent: facts })));
  button.setAttribute("aria-pressed", "false");
  const item = { row, button, name: row.name, sound: row.sound, playing: row.name };
  items.push(item);
  button.addEventListener("click", () => play(item));
  byId("rows").append(button);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = items.findIndex((item) => item.button === document.activeElement);
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (step) items[Math.max(0, Math.min(items.length - 1, at + step))].button.focus();
  else if (event.key === " ") stop();
  else return;
  event.preventDefault();
});

fillFacts(byId("facts"), data.facts);
const redraw = () => items.forEach(({ row, button }) => drawLevels(button.querySelector("canvas"), row.picture, data.bands));
darkQuery.addEventListener("change", redraw);
addEventListener("resize", redraw);
redraw();
state.drawn = String(items.length);
