// The clips of the map: what the page was given, which clips are shown, how each is coloured, and which one is selected.
import { SHAPES, ramp, read, theme } from "../../core/html/base.js";
import { faultLook } from "../shared/marks.js";

export const data = read("data");
export const points = data.points; // columns: x, y, id, severity, params, clip (place in the block "sounds", or -1), ...
export const count = points.x.length;
export const shown = new Uint8Array(count); // 1 for clips that pass the filters
export const selection = { hovered: -1, selected: -1 }; // places in the columns; -1 for none

const BINS = 5; // of severity
const OTHERS = 56; // sources with a style of their own: 7 hues x 8 shapes
const clean = data.artifacts.indexOf("clean");

// ---- the group of a clip, in each of the three ways to colour ----------------------------------------------------
const binOf = (i) => (points.artifact[i] === clean ? BINS : Math.min(Math.floor(points.severity[i] * BINS), BINS - 1));
export const modes = {
  artifact: { names: data.artifacts, of: (i) => points.artifact[i], hidden: new Set() },
  severity: {
    names: [...Array.from({ length: BINS }, (_, b) => `${(b / BINS).toFixed(1)} – ${((b + 1) / BINS).toFixed(1)}`), "clean"],
    of: binOf, hidden: new Set(),
  },
  source: {
    names: data.sources.length > OTHERS ? [...data.sources.slice(0, OTHERS), `${data.sources.length - OTHERS} more sources`] : data.sources,
    of: (i) => Math.min(points.source[i], OTHERS), hidden: new Set(),
  },
};
export const colouring = { mode: "artifact" };

export function style(group, severity = null) {
  const colours = theme(), { mode } = colouring;
  const neutral = { fill: colours.neutral, shape: "circle", beneath: true }; // drawn small, beneath the others
  if (mode === "severity") return group === BINS ? neutral : { fill: ramp(severity ?? (group + 0.5) / BINS), shape: "circle" };
  if ((mode === "artifact" && group === clean) || (mode === "source" && group === OTHERS)) return neutral;
  if (mode === "artifact") return faultLook(data.places[data.artifacts[group]] ?? OTHERS - 1 - group);
  return { fill: colours.categories[group % colours.categories.length], shape: SHAPES[group % SHAPES.length] };
}
export const styleOf = (i) => style(modes[colouring.mode].of(i), colouring.mode === "severity" ? Math.round(points.severity[i] * 40) / 40 : null);

// ---- facts -------------------------------------------------------------------------------------------------------
export const isClean = (i) => points.artifact[i] === clean;
export const heading = (i) => data.artifacts[points.artifact[i]] + (isClean(i) ? "" : ` · severity ${points.severity[i].toFixed(2)}`);
export const facts = (i) => [["source", data.sources[points.source[i]]], ["corpus", data.corpora[points.corpus[i]]], ...points.params[i]].filter(([, v]) => v !== "");
