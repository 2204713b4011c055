// Names on the map, by the column that colours it.
import { clusters, paintClusters } from "../shared/clusters.js";
import { columns, points } from "./columns.js";
import { filtered, shown } from "./filter.js";
import { page } from "./page.js";
import { grid, screenX, screenY, size } from "./view.js";

let groups = null; // null until they are needed
export function forgetNames() { groups = null; }
filtered.on(forgetNames);

function named() {
  const column = columns.get(page.colour);
  if (column?.kind !== "category" || !column.data || column.rest.length > column.listed.length) return [];
  const { data, parts, hidden, listed, names } = column, rank = new Map(listed.map((place, n) => [place, n]));
  const first = parts.map((places) => rank.get(places.find((place) => !hidden.has(names[place])) ?? places[0]) ?? -1);
  return clusters(points.x, points.y, (row) => (shown[row] ? first[data[row]] ?? -1 : -1), listed.map((place) => names[place]), [grid.box[0], grid.box[1], grid.side * grid.cell]);
}
export function paintNames(g) {
  groups ??= named();
  paintClusters(g, groups, (x, y) => [screenX(x), screenY(y)], size);
}
