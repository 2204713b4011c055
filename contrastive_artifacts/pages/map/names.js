// Names on the map, by the way to colour it.
import { clusters, paintClusters } from "../shared/clusters.js";
import { colouring, data, modes, points, shown } from "./points.js";
import { box, placeOf, size } from "./view.js";

let groups = null; // null until they are needed
export function forgetNames() { groups = null; }

export function paintNames(g) {
  const { mode } = colouring, { of, names } = modes[mode];
  groups ??= mode === "artifact" || (mode === "source" && names.length === data.sources.length) ? clusters(points.x, points.y, (i) => (shown[i] ? of(i) : -1), names, box) : [];
  paintClusters(g, groups, placeOf, size);
}
