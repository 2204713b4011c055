import { SHAPES, outline, theme } from "../../core/html/base.js";

// The look of a fault by its place in the catalog of artifacts, the same on every page; neutral without a place.
export function faultLook(place) {
  const { categories, neutral } = theme();
  return place === undefined ? { fill: neutral, shape: "circle" } : { fill: categories[place % categories.length], shape: SHAPES[place % SHAPES.length] };
}

// An SVG element for lists and legends: the marker with this fill and shape.
export function marker({ fill, shape }, r = 6) {
  const make = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
    return node;
  };
  const node = make("svg", { width: 14, height: 14, viewBox: "-8 -8 16 16", "aria-hidden": "true" });
  node.append(make("path", { d: outline(shape, r), fill }));
  return node;
}
