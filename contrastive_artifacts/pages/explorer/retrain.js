// The probe corrected by labels: the page shows what it would change and how it was judged, and asks before it is used.
import { byId, element, state } from "../../core/html/base.js";
import { ask, busy, guarded, say } from "../shared/asking.js";
import { amount, plural, precisionText } from "../shared/counts.js";
import { player } from "../shared/player.js";
import { columns } from "./columns.js";
import { confirmed } from "./dialogs.js";
import { markButtons } from "./hover.js";
import { refresh } from "./labels.js";
import { recolour } from "./legend.js";
import { about } from "./page.js";
import { refreshInfo } from "./panel.js";
import { playSeries, rowSound } from "./playlist.js";

const button = (text, job, properties = {}) => {
  const node = element("button", { type: "button", textContent: text, ...properties });
  node.addEventListener("click", job);
  return node;
};

// ---- the proposal in words ---------------------------------------------------------------------------------------
function judged({ verdict, losses, figures }) {
  const [held] = figures.filter(([rows, before]) => before && rows.startsWith("labelled"));
  const points = held ? ` (${(100 * (held[2].accuracy - held[1].accuracy)).toFixed(1)} points on held-out sources)` : "";
  return {
    worse: `Worse than before: ${losses.join("; ")}. Using it is not advised.`,
    better: `Better than before${points}.`,
    same: "Neither better nor worse than before on held-out sources.",
    unknown: "It could not be judged: label rows of two sources or more.",
  }[verdict];
}
function agreement({ labels, agreeing, left_out: leftOut }) {
  const contrary = labels - agreeing, parts = [`${amount(agreeing)} of ${plural(labels, "label")} say what the probe says and hold it where it is, ${amount(contrary)} ${contrary === 1 ? "contradicts" : "contradict"} it.`];
  if (leftOut) parts.push(`${plural(leftOut, "label")} cannot be learned from.`);
  return parts.join(" ");
}
function moveList({ changed, rows, moves }) {
  const listed = moves.reduce((sum, [, , many]) => sum + many, 0);
  const items = moves.map(([before, after, many]) => element("li", { textContent: `${amount(many)} ${before || "no verdict"} → ${after}` }));
  if (listed < changed) items.push(element("li", { textContent: `${amount(changed - listed)} others` }));
  return [element("p", { textContent: changed ? `${plural(changed, "row")} of ${amount(rows)} would get another verdict:` : `No verdict of ${plural(rows, "row")} would change.` }), element("ul", { className: "moves" }, ...items)];
}
function figureTable({ figures }) {
  const cell = (text, tag = "td", scope = null) => { const node = element(tag, { textContent: text }); if (scope) node.scope = scope; return node; };
  const figure = (set, name) => (typeof set?.[name] === "number" ? set[name].toFixed(3) : "–");
  const accuracy = about.encoder.sets ? "sets exactly right" : "accuracy";
  return element("table", {}, element("tr", {}, cell("", "th"), cell("before", "th", "col"), cell("after", "th", "col")),
    ...figures.flatMap(([rows, before, after]) => [["macro_f1", "macro F1"], ["accuracy", accuracy]].map(([name, text]) =>
      element("tr", {}, cell(`${text}, ${amount(after.rows)} ${rows}`, "th", "row"), cell(figure(before, name)), cell(figure(after, name))))));
}
// How far labels settle each threshold: precision with its interval of 95 %.
function precisionList({ precisions }) {
  if (!precisions.length) return [];
  const items = precisions.map((precision) => element("li", { textContent: precisionText(precision, "right", "label") }));
  return [element("details", {}, element("summary", { textContent: "Precision at the present thresholds, by the labelled rows (as if drawn at random)" }), element("ul", {}, ...items))];
}
function exampleList({ examples }) {
  if (!examples.length) return [];
  const items = examples.map(({ row, name, time, before, after }) => {
    const play = button("▶", guarded(() => (player.key === String(row) ? player.stop() : player.play(rowSound(row), String(row)))), { className: "sound" });
    play.dataset.key = String(row);
    play.setAttribute("aria-label", `Play row ${row}, ${before || "no verdict"} to ${after}`);
    return element("li", {}, play, element("span", { textContent: `${before || "no verdict"} → ${after}` }), element("span", { className: "soft", textContent: `${name} · ${time}` }));
  });
  const all = button(examples.length === 1 ? "Play it" : `Play these ${examples.length}`, () => playSeries(examples.map(({ row }) => row)), { id: "play-examples" });
  return [element("div", { className: "line" }, element("h3", { textContent: "Hear some of them" }), all), element("ol", { className: "rows examples" }, ...items)];
}

// ---- asking ------------------------------------------------------------------------------------------------------
// The answer of the person: "use", "discard" or "back".
function answered(proposal) {
  const dialog = byId("proposal"), safe = proposal.verdict === "better";
  byId("proposal-title").textContent = `The probe corrected by ${plural(proposal.labels, "label")}`;
  byId("proposal-text").replaceChildren(element("p", { textContent: agreement(proposal) }), ...moveList(proposal),
    element("p", { className: `is-${proposal.verdict}`, id: "judged", textContent: judged(proposal) }), figureTable(proposal), ...precisionList(proposal), ...exampleList(proposal));
  byId("back").hidden = !proposal.corrected;
  byId("use").textContent = proposal.verdict === "worse" ? "Use it all the same" : "Use";
  byId("use").classList.toggle("main", safe);
  byId("discard").classList.toggle("main", !safe);
  markButtons();
  return new Promise((resolve) => {
    const end = (answer) => () => { dialog.onclose = null; player.stop(); if (dialog.open) dialog.close(); resolve(answer); };
    for (const answer of ["use", "discard", "back"]) byId(answer).onclick = end(answer);
    dialog.onclose = end("discard");
    dialog.showModal();
    byId(safe ? "use" : "discard").focus();
  });
}
async function follow(answer) { // shows the verdicts that are in use by now
  about.corrected = answer !== "back";
  await refresh([...columns.keys()].filter((name) => /^(heard|present|chance_)/.test(name)));
  const verdict = about.encoder.sets ? "present" : "heard";
  if (columns.has(verdict)) await recolour(verdict);
  await refreshInfo();
}
async function goBack() {
  await ask("api/retrain/back", {});
  await follow("back");
  state.retrained = "back";
  say("The rows have the verdicts of the encoder's own probe again. Labels stay.");
}
const backQuestion = (reason) => confirmed(`${reason}\nA corrected probe is in use. Go back to the encoder's own?`, "Back to the encoder's own");

byId("retrain").addEventListener("click", guarded(async () => {
  if (byId("retrain").disabled) return;
  delete state.retrained;
  byId("retrain").disabled = true;
  let proposal;
  try { proposal = await busy("Training the probe with the labels…", () => ask("api/retrain", {})); } catch (error) {
    if (!about.corrected) throw error;
    if (await backQuestion(error.message)) await goBack();
    return;
  } finally { byId("retrain").disabled = false; }
  const answer = await answered(proposal);
  if (answer === "back") await goBack();
  else if (answer === "use") {
    const { changed, saved } = await busy("Saving the probe…", () => ask("api/retrain/use", { proposal: proposal.proposal }));
    await follow("use");
    state.retrained = changed;
    say(`${plural(changed, "row")} ${changed === 1 ? "has" : "have"} another verdict now. Saved as ${saved}.`);
  } else {
    state.retrained = "discarded";
    say("Discarded; nothing has changed.");
  }
}));
