// Requests to the page's own server, and what the page shows while they run and when they fail.
import { byId, state } from "../../core/html/base.js";

export const say = (text) => { byId("say").textContent = text; }; // read out by screen readers

// The answer to a request: GET without a body, else POST of JSON, or of the body as it is if headers are given.
export async function ask(path, body, { signal, as = "json", headers } = {}) {
  const options = { signal };
  if (body !== undefined) {
    Object.assign(options, { method: "POST", headers: headers ?? { "Content-Type": "application/json" }, body: headers ? body : JSON.stringify(body) });
  }
  let answer;
  try { answer = await fetch(path, options); } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; is it still running?", { cause: error });
  }
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? `The server answered ${answer.status}.`);
  return answer[as]();
}

export function trouble(text) {
  byId("trouble").hidden = !text;
  byId("trouble").textContent = state.error = text;
}
byId("trouble").addEventListener("click", () => trouble(""));

// A handler whose errors are shown; the next call clears the message.
export const guarded = (job) => async (...values) => {
  try { trouble(""); return await job(...values); } catch (error) {
    if (error.name !== "AbortError") trouble(error.message);
    return undefined;
  }
};

// Shows a text while a job runs, if it takes longer than 150 ms.
export async function busy(text, job) {
  const timer = setTimeout(() => { byId("busy").textContent = text; byId("busy").hidden = false; }, 150);
  try { return await job(); } finally { clearTimeout(timer); byId("busy").hidden = true; }
}

// Requests by the place on the page that shows their answer: a new request for a place aborts the one before.
const requests = {};
export function latest(place) {
  abort(place);
  requests[place] = new AbortController();
  return requests[place].signal;
}
export function abort(place) { requests[place]?.abort(); }
