// Numbers in texts.
export const amount = (n) => n.toLocaleString("en");
export const plural = (n, noun) => `${amount(n)} ${noun}${n === 1 ? "" : "s"}`;
const percent = (share) => Math.round(100 * share);
// How far decisions settle a threshold: [name, right, labelled, low, high, more] of probes/precision.py.
export const precisionText = ([name, right, labelled, low, high, more], verb, noun) =>
  `${name}: ${amount(right)} of ${amount(labelled)} ${verb}, ${percent(low)} – ${percent(high)} %; ${more ? `about ${plural(more, `more ${noun}`)} until ± 10 %` : "settled to ± 10 %"}`;
