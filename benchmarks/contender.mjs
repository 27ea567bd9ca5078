// pyml as a contender of the yardstick (../shared/bench): Pyodide and the wheel come from this repository's
// built site, the workloads are contender.py. The yardstick serves the repository as /extra/:
//   run.py --extra REPOSITORY -c tfjs-webgpu,pyml-webgpu=benchmarks/contender.mjs
const HERE = new URL('.', import.meta.url);
const PYODIDE = new URL('../build/site/pyodide/', HERE);
const BACKENDS = {
  'pyml-webgpu': 'webgpu', 'pyml-wasm': 'wasm', 'pyml-cpu': 'cpu',
  'pyml-wasm-1': 'wasm', 'pyml-wasm-2': 'wasm',  // with so many threads
};

async function source(name) {
  const reply = await fetch(new URL(name, HERE), {cache: 'no-store'});
  if (!reply.ok) throw new Error(`${name}: HTTP ${reply.status}`);
  return reply.text();
}

// One interpreter per backend: the backend is a property of the process, and contenders share the page.
async function start(backend, threads) {
  const entry = new URL('pyodide.mjs', PYODIDE).href;
  const {loadPyodide} = await import(entry).catch(() => {
    throw new Error(`no Pyodide at ${entry}: build the site first (make setup)`);
  });
  const py = await loadPyodide({indexURL: PYODIDE.href});
  await py.loadPackage(['numpy', 'pyml']);
  for (const name of ['contender.py', 'meter.py']) py.FS.writeFile(name, await source(name));
  py.runPython('import sys; sys.path.insert(0, ".")');
  if (threads) py.runPython(`import os; os.environ["PYML_WASM_THREADS"] = "${threads}"`);
  await py.runPythonAsync(`import pyml\nawait pyml.config.init_async(${JSON.stringify(backend)})`);
  return py;
}

export function make(id) {
  const backend = BACKENDS[id];
  let contender, meter;
  return {
    id, label: `pyml ${backend ?? id} in Pyodide`,
    async init() {
      if (!backend) return {};
      const t = performance.now();
      const py = await start(backend, /-(\d+)$/.exec(id)?.[1]);
      contender = py.pyimport('contender');
      meter = py.pyimport('meter');
      return {...JSON.parse(contender.describe()), pyodide: py.version, ready_ms: performance.now() - t};
    },
    async prepare(w) {
      if (!backend) return {skip: `pyml has no ${id} device in this version`};
      const bench = contender.prepare(JSON.stringify(w));
      // callPromising lets Python wait for the read inside train_on_batch, fit and numpy().
      return {
        note: bench.note,
        single: () => bench.single.callPromising(),
        loop: (k) => bench.loop.callPromising(k),
        stats: async () => JSON.parse(await meter.report.callPromising(bench)),
        dispose: () => bench.destroy(),
      };
    },
  };
}
