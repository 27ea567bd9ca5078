// Runs graph-models in the real TensorFlow.js: reads JSON lines {graph, weights, given, outputs}, prints the results as JSON.
import path from "node:path";
import { createRequire } from "node:module";
import readline from "node:readline";

const require = createRequire(path.join(process.env.TFJS_FOLDER, "x.js"));
const tf = require("@tensorflow/tfjs");
const bytes = text => { const b = Buffer.from(text, "base64"); return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength); };

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { graph, weights, given, outputs } = JSON.parse(line);
  try {
    const specs = graph.weightsManifest[0].weights;
    const model = await tf.loadGraphModel({
      load: async () => ({ modelTopology: graph.modelTopology, signature: graph.signature, weightSpecs: specs, weightData: bytes(weights) }),
    });
    const inputs = Object.fromEntries(Object.entries(given).map(([k, v]) => [k, tf.tensor(v.data, v.shape, v.dtype)]));
    const found = [].concat(await model.executeAsync(inputs, outputs));
    console.log(JSON.stringify(found.map(t => ({ shape: t.shape, dtype: t.dtype, data: Array.from(t.dataSync()) }))));
  } catch (e) {
    console.log(JSON.stringify({ error: String(e) }));
  }
}
