// The page of beside.py: pyml in Pyodide and TensorFlow.js, in turns. `/query` says what is run.
//   python       {module: source}; the one called page has make(row) -> (step, whole, given): two functions that read what they
//                computed, and the arrays that both libraries start from
//   javascript   a module with make(tf, row, given) -> {step, whole}, given as [{shape, data}]
//   rows         {name: what make gets}; `has` of a row names the devices on which TensorFlow.js can do it, `runs` says how many
//                steps `whole` takes, if not one
const { python, javascript, rows, rounds, devices } = await (await fetch('/query')).json();
const out = window.out = {}, SITE = '/site/pyodide/', NPM = '/tensorflow-js-all/node_modules/@tensorflow/';
const script = (src) => new Promise((ok, no) => document.head.append(
  Object.assign(document.createElement('script'), { src, onload: ok, onerror: () => no(new Error(`cannot load ${src}`)) })));

async function pyml(device) {
  const { loadPyodide } = await import(`${SITE}pyodide.mjs`);
  const py = await loadPyodide({ indexURL: SITE });
  await py.loadPackage(['numpy', 'pyml']);
  await py.runPythonAsync(`import pyml\nawait pyml.config.init_async("${device}")`);
  for (const [name, text] of Object.entries(python)) py.FS.writeFile(`${name}.py`, text);
  py.runPython('import json, sys; sys.path.insert(0, "."); from page import make');
  console.log(py.runPython('pyml.config.describe()'));
  const made = py.runPython(`
from pyodide.ffi import to_js
def taken(row):
    step, whole, given = make(json.loads(row))
    return lambda: (step(), None)[1], lambda: to_js(whole()), to_js([[to_js(list(a.shape)), to_js(a.ravel())] for a in given])
taken`);
  return (row) => {
    const [step, whole, given] = made(JSON.stringify(row));
    return { step: () => step.callPromising(), whole: () => whole.callPromising(), given: given.map(([shape, data]) => ({ shape, data })) };
  };
}
async function tensorflow(device) {
  if (!globalThis.tf) await script(`${NPM}tfjs/dist/tf.min.js`);
  await script(`${NPM}tfjs-backend-${device}/dist/tf-backend-${device}.min.js`);
  if (device === 'wasm') {
    tf.wasm.setWasmPaths(`${NPM}tfjs-backend-wasm/dist/`);
    tf.wasm.setThreadsCount(navigator.hardwareConcurrency);
  }
  if (!await tf.setBackend(device)) throw new Error(`tf.setBackend('${device}') refused`);
  const { make } = await import(URL.createObjectURL(new Blob([javascript], { type: 'text/javascript' })));
  return (row, given) => make(tf, row, given);
}
const timed = async (work) => { const t = performance.now(); await work(); return performance.now() - t; };
const why = (error) => String(error?.message ?? error).trim().split('\n').at(-1).slice(0, 200);
for (const device of devices) {
  const found = out[device] = {}, ours = await pyml(device), theirs = await tensorflow(device);
  for (const [name, row] of Object.entries(rows)) {
    const record = found[name] = { pyml: [], tfjs: [] };
    try {
      const pair = { pyml: ours(row) }, first = {};
      const whole = async (who) => {
        let values;
        first[who] = await timed(async () => { values = await pair[who].whole(); }) / (row.runs ?? 1);
        return values;
      };
      const a = await whole('pyml');
      if (row.has.includes(device)) {
        pair.tfjs = await theirs(row, pair.pyml.given);
        const b = await whole('tfjs');
        let most = 0, apart = 0;
        for (let i = 0; i < a.length; i++) { most = Math.max(most, Math.abs(a[i])); apart = Math.max(apart, Math.abs(a[i] - b[i])); }
        if (a.length) record.apart = a.length === b.length ? apart / most : NaN;
      }
      record.first = first;
      const patient = Math.max(...Object.values(first)) < 10_000;  // else one round, and the first run counts for the slow one
      for (let i = 0; i < 3; i++) for (const who of Object.keys(pair)) if (first[who] < 10_000) await pair[who].step();
      for (let round = 0; round < (patient ? rounds : 1); round++) {
        const names = Object.keys(pair);
        if (round % 2) names.reverse();
        for (const who of names) {
          await new Promise((go) => setTimeout(go, 10));
          record[who].push(first[who] < 10_000 ? await timed(pair[who].step) : first[who]);
        }
      }
    } catch (error) { record.error = why(error); }
    console.log(device, name, JSON.stringify(record));
  }
}
window.done = true;
