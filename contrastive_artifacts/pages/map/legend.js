// The legend and the filters: groups that are hidden by a click, and a text to find.
import { byId, element, state, theme } from "../../core/html/base.js";
import { marker } from "../shared/marks.js";
import { hover } from "./card.js";
import { draw } from "./drawing.js";
import { colouring, count, data, modes, points, selection, shown, style } from "./points.js";

const texts = Array.from({ length: count }, (_, i) =>
  [points.id[i], data.artifacts[points.artifact[i]], data.sources[points.source[i]], data.corpora[points.corpus[i]]].join("\n").toLowerCase());

export function filter() {
  const query = byId("find").value.trim().toLowerCase();
  let visible = 0;
  for (let i = 0; i < count; i++) {
    shown[i] = Object.values(modes).every((m) => !m.hidden.has(m.of(i))) && texts[i].includes(query) ? 1 : 0;
    visible += shown[i];
  }
  const filtered = visible < count;
  byId("count").textContent = filtered ? `${visible.toLocaleString()} of ${count.toLocaleString()} clips` : `${count.toLocaleString()} clips`;
  byId("all").hidden = !filtered;
  state.visible = visible;
  if (selection.hovered >= 0 && !shown[selection.hovered]) hover(-1);
  draw();
}

export function showAll() {
  Object.values(modes).forEach((m) => m.hidden.clear());
  byId("find").value = "";
  legend();
  filter();
}

export function legend() {
  const m = modes[colouring.mode], totals = Array.from(m.names, () => 0);
  for (let i = 0; i < count; i++) totals[m.of(i)]++;
  const items = m.names.map((name, group) => {
    if (!totals[group]) return null;
    const button = element("button", { type: "button", title: name }, marker(style(group)),
      element("span", { className: "text", textContent: name || "(none)" }), element("span", { className: "many", textContent: totals[group].toLocaleString() }));
    button.setAttribute("aria-pressed", String(!m.hidden.has(group)));
    button.addEventListener("click", (event) => {
      if (event.shiftKey || event.altKey) m.names.forEach((_, g) => (g === group ? m.hidden.delete(g) : m.hidden.add(g)));
      else if (!m.hidden.delete(group)) m.hidden.add(group);
      [...byId("items").children].forEach((other) => other.firstChild.setAttribute("aria-pressed", String(!m.hidden.has(Number(other.dataset.group)))));
      filter();
    });
    const item = element("li", {}, button);
    item.dataset.group = group;
    return item;
  });
  byId("items").replaceChildren(...items.filter(Boolean));
  byId("gradient").hidden = colouring.mode !== "severity";
  byId("gradient-bar").style.background = `linear-gradient(90deg, ${theme().ramp.join(",")})`;
}
