// What a person says of rows: keep, reject, relabel, undo. Nothing is kept here: only what the server has written counts
// as said, and a failure is shown.

const said = new Map(); // row -> { decision, label }, as the server has it
const NAME = /^[a-z0-9_]{1,40}$/;
let onwards = true, deciding = false, options = [], option = -1, relabelled = null;

// ---- saying ------------------------------------------------------------------------------------------------------
// One act at a time: a key pressed twice while the server writes is not two decisions.
const decide = guarded(async (rows, decision, name = "") => {
  if (deciding || !rows.length) return;
  deciding = true;
  try {
    const note = rows.length === 1 && rows[0] === item?.row ? byId("note").value.trim() : "";
    const answer = await busy(`Writing ${plural(rows.length, "label")}…`, () => ask("api/labels", { rows: [...rows], action: decision, label: name, note }));
    for (const row of rows) said.set(row, { decision, label: decision === "relabel" ? name : "" });
    if (item && rows.includes(item.row) && item.info) { Object.assign(item.info, { decision, label: name, note }); tell(); }
    counted(answer.counts);
  } finally { deciding = false; }
  const what = decision === "relabel" ? `relabelled ${name}` : decision === "keep" ? "kept" : "rejected";
  say(`${rows.length === 1 ? `Row ${rows[0]}` : plural(rows.length, "row")} ${what}.`);
  markRows();
  mark();
  refresh();
  if (rows.length === 1) following(rows[0]);
});
function counted(counts) {
  const total = counts.keep + counts.reject + counts.relabel;
  state.labels = total;
  byId("label-counts").replaceChildren(...[["keep", "✓", "kept"], ["reject", "✕", "rejected"], ["relabel", "↻", "relabelled"]].map(([name, sign, word]) => {
    const part = element("span", { className: name, textContent: `${sign} ${amount(counts[name])} `, title: `${amount(counts[name])} ${word}` });
    part.setAttribute("aria-label", part.title);
    return part;
  }));
  byId("retrain").disabled = !total;
  byId("retrain").title = total ? "" : "Say of some rows what is right first";
  if (total) byId("export").removeAttribute("aria-disabled");
  else byId("export").setAttribute("aria-disabled", "true");
}
byId("export").addEventListener("click", (event) => { if (byId("export").getAttribute("aria-disabled")) { event.preventDefault(); say("There is no label to export yet."); } });

// The columns "label" and "decision" follow a moment later: several decisions are fetched once.
let refreshTimer = 0;
function refresh() {
  clearTimeout(refreshTimer);
  state.following = "columns";
  refreshTimer = setTimeout(guarded(() => follow(["label", "decision"])), 250);
}
async function follow(names) {
  await reload(names);
  if (!columns.has(colour)) colour = columns.has(about.colour) ? about.colour : [...columns.keys()][0];
  choices();
  if (!columns.get(colour).data) await recolour(colour);
  else legend();
  if ([...columns.values()].some(active)) await filter();
  delete state.following;
}
async function readSaid() { // from the columns, as they are at the start and after an undo
  if (!columns.has("decision")) { said.clear(); return { keep: 0, reject: 0, relabel: 0 }; }
  const [decisions, names] = await Promise.all(["decision", "label"].map((name) => (columns.has(name) ? load(name) : null)));
  const counts = { keep: 0, reject: 0, relabel: 0 };
  said.clear();
  for (let row = 0; row < count; row++) {
    const decision = decisions.values[decisions.data[row]];
    if (!decision) continue;
    counts[decision]++;
    said.set(row, { decision, label: decision === "relabel" ? names?.values[names.data[row]] ?? "" : "" });
  }
  return counts;
}
const undo = guarded(async () => {
  if (deciding) return;
  deciding = true;
  let answer;
  try {
    answer = await ask("api/undo", {});
    if (!answer.rows.length) { trouble("There is nothing left to undo."); return; }
    clearTimeout(refreshTimer);
    await follow(["label", "decision"]);
    await readSaid();
    choices();
    counted(answer.counts);
  } finally { deciding = false; }
  const [row] = answer.rows;
  markRows();
  mark();
  say(answer.rows.length === 1 ? `Row ${row}: taken back.` : `${plural(answer.rows.length, "label")} taken back.`);
  if (answer.rows.length === 1 && row !== selected) await select(row, { pan: true });
  else if (item?.row >= 0) {
    const mine = item;
    mine.info = await ask(mine.base, undefined, { signal: latest("info") });
    if (item === mine) tell();
  }
});

// ---- the flow: after a decision the next one of the list ----------------------------------------------------------
function setOnwards(on) {
  onwards = on;
  for (const other of document.querySelectorAll(".onwards")) other.checked = on;
}
function following(row, by = 1) {
  if (by === 1 && !onwards) return;
  const rows = tab === "hits" ? hits.rows.map((hit) => hit.row) : tab === "chosen" ? chosen : [];
  const at = rows.indexOf(row);
  if (at < 0) return;
  for (let n = 1; n < rows.length; n++) {
    const next = rows[(at + n) % rows.length];
    if (!said.has(next)) { select(next, { pan: true, play: Boolean(player.enabled || keep.loop), speak: true }); return; }
  }
  say("All of this list are decided.");
}
function step(by) { // next and previous of the open list, decided or not
  const rows = tab === "hits" ? hits.rows.map((hit) => hit.row) : tab === "chosen" ? chosen : likes.map((hit) => hit.row);
  if (!rows.length) return;
  const at = rows.indexOf(selected), to = at < 0 ? 0 : (at + by + rows.length) % rows.length;
  select(rows[to], { pan: true, speak: true, play: true });
}

// ---- many at once ------------------------------------------------------------------------------------------------
const CONFIRMED = 500;
function labelMany(decision) {
  if (!chosen.length) { trouble("Draw a lasso first: Shift-drag on the map."); return; }
  if (chosen.length > MOST_LABELLED) { trouble(`${amount(chosen.length)} rows are selected; at most ${amount(MOST_LABELLED)} are labelled at once. Filter, or draw a smaller lasso.`); return; }
  const rows = chosen;
  const sure = async (name = "") => {
    const words_ = decision === "relabel" ? `relabel ${plural(rows.length, "row")} as ${name}` : `${decision} ${plural(rows.length, "row")}`;
    if (rows.length <= CONFIRMED || await confirmed(`${words_[0].toUpperCase()}${words_.slice(1)}?\nOne undo takes them all back.`, "Yes, all of them")) decide(rows, decision, name);
  };
  if (decision === "relabel") askLabel(`Relabel ${plural(rows.length, "row")}`, sure);
  else sure();
}
function confirmed(text, yes, more = null) {
  const dialog = byId("question");
  byId("question-text").textContent = text;
  byId("question-more").replaceChildren(...(more ? [more] : []));
  byId("yes").textContent = yes;
  byId("no").hidden = Boolean(more);
  return new Promise((done) => {
    const end = (answer) => () => { dialog.onclose = null; if (dialog.open) dialog.close(); done(answer); };
    byId("yes").onclick = end(true);
    byId("no").onclick = dialog.onclose = end(false);
    dialog.showModal();
    byId("yes").focus();
  });
}

// ---- relabel -----------------------------------------------------------------------------------------------------
function askLabel(title, job) {
  byId("relabel-title").textContent = title;
  byId("new-label").value = "";
  relabelled = job;
  offer();
  byId("relabel-dialog").showModal();
  byId("new-label").focus();
}
function offer() { // what begins with the text comes first, then what holds it
  const typed = byId("new-label").value.trim().toLowerCase();
  options = about.labels.filter((name) => name.startsWith(typed)).concat(about.labels.filter((name) => typed && !name.startsWith(typed) && name.includes(typed)));
  option = typed && options.length ? 0 : -1;
  byId("options").replaceChildren(...options.map((name, n) => {
    const line = element("li", { textContent: name, role: "option", id: `option-${n}` });
    line.setAttribute("role", "option");
    line.addEventListener("click", () => { byId("new-label").value = name; option = n; finishRelabel(); });
    return line;
  }));
  pointAt(option);
}
function pointAt(n) {
  option = n;
  [...byId("options").children].forEach((line, k) => line.setAttribute("aria-selected", String(k === n)));
  byId("options").children[n]?.scrollIntoView({ block: "nearest" });
  byId("new-label").setAttribute("aria-activedescendant", n >= 0 ? `option-${n}` : "");
  const typed = byId("new-label").value.trim().toLowerCase(), name = options[n] ?? typed;
  byId("relabel-hint").textContent = !name ? "Choose, or type a new name of a-z, 0-9 and _." : !NAME.test(name) ? "A label is 1 to 40 of a-z, 0-9 and _." : options.includes(name) ? `Enter: relabel as ${name}` : `Enter: the new label ${name}`;
}
function finishRelabel() {
  const typed = byId("new-label").value.trim().toLowerCase(), name = about.labels.includes(typed) ? typed : options[option] ?? typed;
  if (!NAME.test(name)) { pointAt(-1); byId("new-label").focus(); return; }
  const job = relabelled;
  byId("relabel-dialog").close();
  job?.(name);
}
byId("new-label").addEventListener("input", offer);
byId("new-label").addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by && options.length) { event.preventDefault(); pointAt(Math.max(-1, Math.min(options.length - 1, option + by))); }
});
byId("relabel-form").addEventListener("submit", (event) => { event.preventDefault(); finishRelabel(); });
byId("relabel-cancel").addEventListener("click", () => byId("relabel-dialog").close());

const say1 = (decision) => { if (item?.row >= 0) decide([item.row], decision); else trouble("Select a row first."); };
function relabelOne() {
  if (!(item?.row >= 0)) { trouble("Select a row first."); return; }
  const { row } = item;
  askLabel(`Relabel row ${amount(row)}`, (name) => decide([row], "relabel", name));
}
byId("keep").addEventListener("click", () => say1("keep"));
byId("reject").addEventListener("click", () => say1("reject"));
byId("relabel").addEventListener("click", relabelOne);
byId("undo").addEventListener("click", undo);
document.querySelectorAll(".onwards").forEach((box_) => box_.addEventListener("change", () => setOnwards(box_.checked)));

// ---- retraining --------------------------------------------------------------------------------------------------
const retrain = guarded(async () => {
  if (byId("retrain").disabled) return;
  byId("retrain").disabled = true;
  let made;
  try { made = await busy("Training the probe with the labels…", () => ask("api/retrain", {})); } finally { byId("retrain").disabled = false; }
  await follow(["heard", "heard_severity", "heard_probability"]);
  if (columns.has("heard")) await recolour("heard");
  state.retrained = made.changed;
  if (item?.row >= 0) { const mine = item; mine.info = await ask(mine.base); if (item === mine) tell(); }
  const cell = (text, tag = "td", scope = null) => { const node = element(tag, { textContent: text }); if (scope) node.scope = scope; return node; };
  const figure = (set, name) => (typeof set?.[name] === "number" ? set[name].toFixed(3) : "–");
  const table = element("table", {}, element("tr", {}, cell("", "th"), cell("before", "th", "col"), cell("after", "th", "col")),
    ...[["macro_f1", "macro F1"], ["accuracy", "accuracy"]].map(([name, text]) => element("tr", {}, cell(text, "th", "row"), cell(figure(made.before, name)), cell(figure(made.after, name)))));
  await confirmed(`Trained with ${plural(made.labels, "label")} in ${made.seconds.toFixed(1)} s and saved as ${made.saved}.\n${plural(made.changed, "row")} ${made.changed === 1 ? "is" : "are"} heard as something else now.\n${made.note}`, "Close", table);
});
byId("retrain").addEventListener("click", retrain);
