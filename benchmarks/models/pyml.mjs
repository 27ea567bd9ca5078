// pyml in Pyodide: networks.py's names from pyml.hub, run by contender.py.
const PYODIDE = '/extra/build/site/pyodide/';

export function make(id) {
  let py, contender, bench;
  return {
    async init() {
      const { loadPyodide } = await import(`${PYODIDE}pyodide.mjs`);
      py = await loadPyodide({ indexURL: PYODIDE });
      await py.loadPackage(['numpy', 'pyml']);
      for (const file of ['models/contender.py', 'meter.py']) {
        const reply = await fetch(`/extra/benchmarks/${file}`, { cache: 'no-store' });
        if (!reply.ok) throw new Error(`${file}: HTTP ${reply.status}`);
        py.FS.writeFile(file.split('/').at(-1), await reply.text());
      }
      py.runPython('import sys; sys.path.insert(0, ".")');
      contender = await py.runPythonAsync(`import pyml\nawait pyml.config.init_async("${id.split('-')[1]}")\nimport contender\ncontender`);
      return JSON.parse(contender.describe());
    },
    async load(network, x) {
      bench = await contender.load(JSON.stringify(network), x);
      return async () => { await bench.predict.callPromising(); };   // Python may wait for the read inside
    },
    values: async () => bench.values(),
    profile: async () => JSON.parse(await bench.profile.callPromising()),
  };
}
