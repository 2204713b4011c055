// The report of a shelf: summary, worst moments, advice, and a row per recording that can be filtered and heard.
import { byId, darkQuery, element, fillFacts, state } from "../../core/html/base.js";
import { plural } from "../../pages/shared/counts.js";
import { bound, isTaken, keyOf, keyRow, keySheet } from "../../pages/shared/keys.js";
import { marker } from "../../pages/shared/marks.js";
import { changeFilter, clock, data, faults, files, filter, filtered, lookOf, moments, severityText } from "./data.js";
import { current, currentChanged, describe, play, soundFacts, step, stepFile } from "./playing.js";
import { buildRows, watch } from "./rows.js";

// ---- summary, moments, advice, failures --------------------------------------------------------------------------
fillFacts(byId("facts"), [["recordings", String(files.length + data.failed.length)], ["length", clock(files.reduce((sum, file) => sum + file.seconds, 0))],
  ...(data.root ? [["folder", data.root]] : [])]);
byId("summary").append(...data.sentences.map((text) => element("p", { textContent: text })));

const buttons = new Map(); // place -> its button
function fillMoments() {
  buttons.clear();
  byId("moments").replaceChildren(...moments.map((place) => {
    const button = element("button", { type: "button", title: describe(place), ariaLabel: `Play ${describe(place)}` }, marker(lookOf(place.fault)),
      element("span", { textContent: faults[place.fault].name }), element("span", { textContent: severityText(place.severity) }),
      element("span", { className: "soft", textContent: files[place.file].name }), element("span", { textContent: clock(place.start) }));
    button.addEventListener("click", () => play(place));
    buttons.set(place, button);
    return element("li", {}, button);
  }));
}
currentChanged.on(() => buttons.forEach((button, place) => button.classList.toggle("playing", place === current.playing)));
byId("worst").hidden = !moments.length;

function fillAdvice() {
  const sorted = [...faults].sort((a, b) => (a.order ?? 99) - (b.order ?? 99) || b.files - a.files);
  byId("advice").tBodies[0].replaceChildren(...sorted.map((fault) => {
    const text = element("td", {}, fault.advice);
    if (fault.atlas) text.append(" ", element("a", { href: fault.atlas, textContent: "A/V Artifact Atlas", rel: "noreferrer" }));
    return element("tr", {}, element("td", { textContent: fault.order ? `${fault.order}  ${fault.stage}` : "" }), element("td", {}, marker(lookOf(fault.n)), ` ${fault.name}`),
      element("td", { textContent: fault.files.toLocaleString("en") }), element("td", { textContent: fault.count.toLocaleString("en") }), text);
  }));
}
byId("treatment").hidden = !faults.length;
byId("failed").append(...data.failed.map((cells) => element("tr", {}, ...cells.map((text) => element("td", { textContent: text })))));
byId("failures").hidden = !data.failed.length;
byId("sounds").textContent = soundFacts(data.sound_bytes, data.limit_bytes);

// ---- filter ------------------------------------------------------------------------------------------------------
function fillFaults() {
  byId("faults").replaceChildren(...[...faults].sort((a, b) => b.files - a.files).map((fault) => {
    const button = element("button", { type: "button" }, marker(lookOf(fault.n)), `${fault.name} ${fault.files}`);
    button.title = `${plural(fault.files, "recording")}, ${plural(fault.count, "place")}`;
    button.setAttribute("aria-pressed", String(filter.faults.has(fault.n)));
    button.addEventListener("click", () => {
      const chosen = new Set(filter.faults);
      if (!chosen.delete(fault.n)) chosen.add(fault.n);
      changeFilter({ faults: chosen });
    });
    button.dataset.fault = fault.n;
    return button;
  }));
}
filtered.on(() => { for (const button of byId("faults").children) button.setAttribute("aria-pressed", String(filter.faults.has(Number(button.dataset.fault)))); });
byId("severity").addEventListener("input", (event) => changeFilter({ severity: Number(event.target.value) }));
byId("find").addEventListener("input", (event) => changeFilter({ text: event.target.value.trim().toLowerCase() }));
byId("all").addEventListener("click", () => { byId("find").value = ""; changeFilter({ faults: new Set(), severity: 0, text: "" }); });

// ---- keys --------------------------------------------------------------------------------------------------------
const keys = {
  ...bound({
    play: () => { if (!current.place) step(1); play(current.playing ? null : current.place); }, next: () => step(1), previous: () => step(-1),
    help: keySheet([keyRow("play"), keyRow("next", "next place"), keyRow("previous", "previous place"), ["↓  ↑", "next, previous recording"], ["Enter", "its timeline"], ["Esc", "stop"], keyRow("help")]),
  }),
  ArrowDown: () => stepFile(1), ArrowUp: () => stepFile(-1),
  Enter: () => { if (current.place) location.assign(files[current.place.file].page); },
  Escape: () => play(null),
};
document.addEventListener("keydown", (event) => {
  const act = keys[keyOf(event)], { tagName } = event.target;
  if (!act || isTaken(event) || tagName === "INPUT") return;
  if ([" ", "Enter"].includes(event.key) && ["BUTTON", "A"].includes(tagName)) return;
  act();
  event.preventDefault();
});

const paint = () => { fillMoments(); fillAdvice(); fillFaults(); };
darkQuery.addEventListener("change", paint);
paint();
buildRows();
changeFilter({});
watch();
state.moments = moments.length;
