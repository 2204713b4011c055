// The strip of a long sound: what is heard when. A click on a stretch searches by it.
import { byId, element } from "../../core/html/base.js";
import { labelLook } from "./looks.js";

const strip = byId("strip");
export const timeText = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const stretchText = ({ start, stop, label, chance }) => `${timeText(start)} to ${timeText(stop)}: ${label} ${Math.round(100 * chance)} %`;

// Seconds of each label, the longest first.
export function summary(stretches) {
  const sums = new Map();
  for (const { start, stop, label } of stretches) sums.set(label, (sums.get(label) ?? 0) + stop - start);
  return [...sums].sort((a, b) => b[1] - a[1]);
}
// Shows the stretches of a sound, the one at `place` ({ start, stop } or none) marked; `open` is called with a stretch, or
// with nothing for the whole sound.
export function drawStrip(stretches, place, open) {
  strip.hidden = stretches.length < 2;
  if (strip.hidden) { strip.replaceChildren(); return; }
  const marked = (stretch) => place.start !== undefined && stretch.start < place.stop && stretch.stop > place.start;
  const buttons = stretches.map((stretch, n) => {
    const button = element("button", { type: "button", title: `${stretchText(stretch)} (click: search by it)`, tabIndex: n ? -1 : 0 });
    button.style.flexGrow = stretch.stop - stretch.start;
    button.style.setProperty("--fill", labelLook(stretch.label).fill);
    button.append(element("span", { textContent: stretch.label }));
    button.setAttribute("aria-label", stretchText(stretch));
    button.setAttribute("aria-pressed", String(Boolean(marked(stretch))));
    button.addEventListener("click", () => open(stretch));
    return button;
  });
  const whole = element("button", { type: "button", className: "whole", textContent: "All", title: "The whole sound" });
  whole.setAttribute("aria-pressed", String(place.start === undefined));
  whole.addEventListener("click", () => open());
  strip.replaceChildren(whole, ...buttons);
}
strip.addEventListener("keydown", (event) => { // the stretches are one stop for Tab; arrows move between them
  const buttons = [...strip.querySelectorAll("button:not(.whole)")], at = buttons.indexOf(event.target);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  if (!buttons[to]) return;
  buttons[at].tabIndex = -1;
  buttons[to].tabIndex = 0;
  buttons[to].focus();
});
