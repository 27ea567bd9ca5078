// Camera frames of 640x480 to MobileNetV1's prediction, several contenders in turn on one page. Each has a canvas of its
// own, on which a moving picture is drawn before its time is taken: from fromPixels to the probabilities in JavaScript,
// and fromPixels alone, until its first number is there.
const query = JSON.parse(new URLSearchParams(location.search).get('q'));
const out = window.out = { contenders: {} };
const [WIDTH, HEIGHT] = [640, 480];
const PYODIDE = '/extra/build/site/pyodide/', PACKAGES = '/node_modules/@tensorflow/';
const short = (error) => String(error?.message ?? error).trim().split('\n').at(-1).slice(0, 300);

const script = (src) => new Promise((ok, no) => {
  const tag = Object.assign(document.createElement('script'), { src, onload: ok, onerror: () => no(new Error(`cannot load ${src}`)) });
  document.head.append(tag);
});

async function pyml(backend, way) {
  const { loadPyodide } = await import(`${PYODIDE}pyodide.mjs`);
  const py = await loadPyodide({ indexURL: PYODIDE });
  await py.loadPackage(['numpy', 'pyml']);
  py.FS.writeFile('contender.py', await (await fetch('/extra/benchmarks/camera/contender.py', { cache: 'no-store' })).text());
  py.runPython('import sys; sys.path.insert(0, ".")');
  const contender = await py.runPythonAsync(`import pyml\nawait pyml.config.init_async("${backend}")\nimport contender\ncontender`);
  const [predict, take, gpu] = await contender.load(way ?? '');
  out.gpu ||= gpu;
  // Python may wait for the read inside
  return { predict: (canvas) => predict.callPromising(canvas), take: (canvas) => take.callPromising(canvas) };
}

let model = null;                                      // both backends have the same weights; each needs a model of its own
async function tensorflow(backend) {
  if (!globalThis.tf) await script(`${PACKAGES}tfjs/dist/tf.min.js`);
  await script(`${PACKAGES}tfjs-backend-${backend}/dist/tf-backend-${backend}.min.js`);
  if (backend === 'wasm') {
    tf.wasm.setWasmPaths(new URL(`${PACKAGES}tfjs-backend-wasm/dist/`, document.baseURI).href);
    tf.wasm.setThreadsCount(navigator.hardwareConcurrency);
  }
  const activate = async () => {
    if (!await tf.setBackend(backend)) throw new Error(`tf.setBackend('${backend}') refused`);
  };
  await activate();
  model = await tf.loadGraphModel('/models/hub/mobilenet_v1/model.json');
  const own = model, left = (WIDTH - HEIGHT) / 2;
  return {
    activate,
    async predict(canvas) {
      const found = tf.tidy(() => {
        const middle = tf.browser.fromPixels(canvas).slice([0, left, 0], [HEIGHT, HEIGHT, 3]);
        const x = tf.image.resizeBilinear(middle, [224, 224], false, true).expandDims();
        return own.execute({ [own.inputs[0].name]: x }, query.outputs[0]);
      });
      const values = await found.data();
      found.dispose();
      return values;
    },
    async take(canvas) {
      const corner = tf.tidy(() => tf.browser.fromPixels(canvas).slice([0, 0, 0], [1, 1, 1]));
      await corner.data();
      corner.dispose();
    },
  };
}

async function main() {
  const reply = await fetch('/extra/build/site/models/photos/astronaut.png');
  if (!reply.ok) throw new Error(`no photo: HTTP ${reply.status}; run make models`);
  const photo = await createImageBitmap(await reply.blob()), live = [];
  const draw = (pen, number) => pen.drawImage(photo, -number % 40, -number % 24, WIDTH + 40, HEIGHT + 24);
  let expected;
  for (const [id, alpha] of query.contenders) {
    const record = out.contenders[id] = { status: 'running', times: [], taken: [], rounds: [] };
    try {
      const [library, backend, way] = id.split('-');
      const contender = await (library === 'pyml' ? pyml : tensorflow)(backend, way);
      const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
      const pen = canvas.getContext('2d', { alpha });
      draw(pen, 0);
      const values = Float32Array.from(await contender.predict(canvas));
      expected ??= values;
      record.difference = Math.max(...values.map((v, i) => Math.abs(v - expected[i])));
      if (!(values.length === expected.length && record.difference < query.tolerance)) {
        throw new Error(`predicts something else: differs by ${record.difference}`);
      }
      await contender.predict(canvas);
      await contender.take(canvas);
      live.push({ contender, canvas, pen, record });
    } catch (error) {
      Object.assign(record, { status: 'failed', reason: short(error) });
    }
    console.log(`${id}: ${record.reason ?? 'ready'}`);
  }
  for (let round = 0; round < query.rounds; round++) {
    for (let i = 0; i < live.length; i++) {
      const { contender, canvas, pen, record } = live[(i + round) % live.length];
      if (record.status === 'failed') continue;
      try {
        await contender.activate?.();
        for (const [times, work] of [[record.taken, contender.take], [record.times, contender.predict]]) {
          draw(pen, round);
          await new Promise((go) => setTimeout(go, 10));
          const start = performance.now();
          await work(canvas);
          times.push(performance.now() - start);
        }
        record.rounds.push(round);
      } catch (error) {
        Object.assign(record, { status: 'failed', reason: short(error) });
      }
    }
  }
  for (const { record } of live) if (record.status === 'running') record.status = 'ok';
}
main().catch((error) => { out.error = String(error?.stack ?? error).slice(0, 600); }).finally(() => { window.done = true; });
