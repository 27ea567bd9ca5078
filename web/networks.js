// Networks and photos that a page needs and the site may lack: the page says how large they are and has the local
// server fetch them (pyml/cli/fetching.py), or names the command that does.
import { button, finish, sentence } from "./basics.js";

const HUB = new URL("../hub/", import.meta.url);
const BETWEEN_LOOKS = 400; // ms
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/**
 * What `load` gives. Where it fails, `place` says why and offers another try, or to fetch what is missing; the promise
 * waits for that. A call for the same place takes over from one that waits, which then resolves to undefined.
 *
 * load     asks Python for a network, or `bring`s a file of models/NAME/.
 * without  called when it has failed; by default the run of the page (`?autorun=1`) ends with the sentence.
 */
export async function needed(place, load, without = finish) {
  const mine = (place.turn = {});
  const current = () => place.turn === mine;
  place.replaceChildren();
  for (;;) {
    try {
      const value = await load();
      if (!current()) return undefined;
      place.replaceChildren();
      return value;
    } catch (error) {
      if (!current()) return undefined;
      without(sentence(error));
      await (missing(error) ? offer(place, missing(error)) : again(place, sentence(error)));
      if (!current()) return undefined;
    }
  }
}

/** Which network the site lacks, `{ name, size }`, as Python or `bring` says; null where something else is wrong. */
function missing(error) {
  const said = /hub: (\w+) \(([\d.]+) MB\) is not part of this site/.exec(error.message);
  if (said) return { name: said[1], size: said[2] };
  const file = error.status === 404 && /models\/(\w+)\//.exec(error.url);
  return file ? { name: file[1], size: null } : null;
}

function box(place, text, ...more) {
  const made = document.createElement("p");
  made.className = "notice";
  made.append(`${text} `, ...more);
  place.replaceChildren(made);
  return made;
}

const again = (place, text) => new Promise((resolve) => { box(place, text, button("Try again", resolve)); });

/** What the local server knows of a network; null where pages are not served by `pyml serve` or `pyml demo`. */
async function ask(name, method = "GET") {
  const answer = await fetch(new URL(name, HUB), { method }).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

/** Says what is missing, and resolves when it may be there. */
async function offer(place, { name, size }) {
  let state = await ask(name);
  if (state === null) {
    const how = `Whoever built the site runs “pyml hub fetch ${name}” and builds it again.`;
    return again(place, `${what(name)}${size ? ` (${size} MB)` : ""} ${name === "photos" ? "are" : "is"} not part of this site. ${how}`);
  }
  const text = `${what(name)} (${megabytes(state.size)} MB) ${name === "photos" ? "are" : "is"} not here yet. Fetching downloads ${megabytes(state.download)} MB, once.`;
  if (state.state !== "fetching") await new Promise((resolve) => { box(place, text, button("Fetch now", resolve)); });
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", `Fetching ${name}`);
  const told = document.createElement("span");
  box(place, "", bar, " ", told);
  state = await ask(name, "POST");
  while (state?.state === "fetching") {
    const { received, total } = state;
    if (received < total) Object.assign(bar, { max: total, value: received });
    else bar.removeAttribute("value");
    told.textContent = received < total ? `Fetching ${name}: ${megabytes(received)} of ${megabytes(total)} MB` : "Unpacking…";
    await wait(BETWEEN_LOOKS);
    state = await ask(name);
  }
  if (state?.state === "here") return;
  await again(place, state?.error ? `It could not be fetched: ${state.error}` : "The server does not answer any more; start it again.");
}

const what = (name) => (name === "photos" ? "The sample photos" : `The network ${name}`);

/** How far the loading of a network is, in words. */
export const loadingText = ({ received, total }) => `Loading the network: ${megabytes(received)} of ${megabytes(total)} MB`;
