// TensorFlow.js and ONNX Runtime Web, as their users write them; the packages and options are the yardstick's.
const root = '/node_modules/', files = '/models/hub/';

const script = (src) => new Promise((ok, no) => {
  const tag = Object.assign(document.createElement('script'), { src, onload: ok, onerror: () => no(new Error(`cannot load ${src}`)) });
  document.head.append(tag);
});

function tensorflow(backend) {
  let model;
  return {
    async init() {
      await script(`${root}@tensorflow/tfjs/dist/tf.min.js`);
      await script(`${root}@tensorflow/tfjs-backend-${backend}/dist/tf-backend-${backend}.min.js`);
      if (backend === 'wasm') {
        tf.wasm.setWasmPaths(new URL(`${root}@tensorflow/tfjs-backend-wasm/dist/`, document.baseURI).href);
        tf.wasm.setThreadsCount(navigator.hardwareConcurrency);
      }
      if (!await tf.setBackend(backend)) throw new Error(`tf.setBackend('${backend}') refused`);
      await tf.ready();
      return { version: tf.version.tfjs, threads: backend === 'wasm' ? tf.wasm.getThreadsCount() : undefined };
    },
    async load({ name, side, outputs, scale }, x) {
      model = await tf.loadGraphModel(`${files}${name}/model.json`);
      return async () => {
        const input = tf.tensor(x, [1, side, side, 3], scale === 'whole' ? 'int32' : 'float32');
        const found = model.execute({ [model.inputs[0].name]: input }, outputs);
        const list = Array.isArray(found) ? found : [found];
        const values = await Promise.all(list.map((t) => t.data()));
        tf.dispose([input, list]);
        return values;
      };
    },
  };
}

function onnx(provider) {
  let ort;
  return {
    async init() {
      const dist = new URL(`${root}onnxruntime-web/dist/`, document.baseURI).href;
      ort = await import(dist + (provider === 'webgpu' ? 'ort.webgpu.min.mjs' : 'ort.wasm.min.mjs'));
      ort.env.wasm.wasmPaths = dist;
      ort.env.wasm.numThreads = navigator.hardwareConcurrency;
      ort.env.logLevel = 'error';
      return { version: ort.env.versions?.web, threads: ort.env.wasm.numThreads };
    },
    async load({ name, side, scale }, x) {
      const options = { executionProviders: [provider], graphOptimizationLevel: 'all' };
      const session = await ort.InferenceSession.create(`${files}${name}/model.onnx`, options);
      const count = side * side, planes = new (scale === 'whole' ? Int32Array : Float32Array)(3 * count);
      for (let i = 0; i < count; i++) for (let c = 0; c < 3; c++) planes[c * count + i] = x[3 * i + c];   // as it takes them
      const input = new ort.Tensor(scale === 'whole' ? 'int32' : 'float32', planes, [1, 3, side, side]);
      return async () => {
        const found = await session.run({ [session.inputNames[0]]: input });
        return session.outputNames.map((name) => found[name].data);
      };
    },
  };
}

export function make(id) {
  const [library, backend] = id.split('-');
  return library === 'tfjs' ? tensorflow(backend) : onnx(backend);
}
