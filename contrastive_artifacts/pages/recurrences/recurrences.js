// One section per fault that recurs, one button per recording: spectrogram, how many windows, and the sound of one of them.
import { byId, darkQuery, element, fillFacts, read, state } from "../../core/html/base.js";
import { drawLevels, play, stop } from "../shared/cells.js";
import { amount, plural } from "../shared/counts.js";
import { faultLook, marker } from "../shared/marks.js";

const data = read("data");
const items = [];
const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);

function button(place, fault) {
  const node = element("button", { className: "place", type: "button", disabled: !place.sound }, ...(place.sound ? [element("canvas")] : []),
    element("span", { className: "name", textContent: place.name }),
    element("span", { textContent: `${plural(place.windows, "window")}, ${percent(place.share)} of it; ${place.lift.toFixed(1)} times as many as on average` }),
    element("span", { textContent: place.sound ? `plays ${place.time}` : `${place.time}: the recording cannot be read` }));
  node.setAttribute("aria-pressed", "false");
  if (!place.sound) return node;
  const item = { place, button: node, name: place.name, sound: place.sound, playing: `${fault.label} ${place.name}` };
  items.push(item);
  node.addEventListener("click", () => play(item));
  return node;
}
function build() {
  byId("faults").replaceChildren(...data.faults.map((fault) => {
    const rest = fault.groups - fault.places.length, label = fault.label || "no label";
    const text = `${plural(fault.windows, "similar window")} in ${amount(fault.groups)} ${data.groups}; ${percent(fault.purity)} of the windows are labelled ${label}.${rest > 0 ? ` The ${fault.places.length} with most windows are shown, the table has the other ${rest}.` : ""}`;
    return element("section", { ariaLabel: label }, element("h2", {}, marker(faultLook(data.places[fault.label])), label), element("p", { textContent: text }),
      element("div", { className: "places" }, ...fault.places.map((place) => button(place, fault))));
  }));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = items.findIndex((item) => item.button === document.activeElement);
  const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
  if (step) items[Math.max(0, Math.min(items.length - 1, at + step))]?.button.focus();
  else if (event.key === " ") stop();
  else return;
  event.preventDefault();
});

fillFacts(byId("facts"), data.facts);
byId("note").hidden = !data.note;
byId("note").textContent = data.note;
build();
const redraw = () => items.forEach((item) => drawLevels(item.button.querySelector("canvas"), item.place.picture, data.bands));
darkQuery.addEventListener("change", () => { stop(); items.length = 0; build(); redraw(); });
addEventListener("resize", redraw);
redraw();
state.drawn = String(items.length);
