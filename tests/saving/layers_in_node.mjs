// Makes, saves, opens and runs layers-models with the real TensorFlow.js; used by test_layers_model.py.
//   node layers_in_node.mjs make FOLDER       writes models with random weights, inputs and outputs
//   node layers_in_node.mjs known             prints the names of all layers
//   node layers_in_node.mjs run MODEL INPUTS  prints the outputs of a saved model as JSON
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const require = createRequire(path.join(process.env.TFJS_FOLDER, "x.js"));
const tf = require("@tensorflow/tfjs");
tf.env().set("PROD", true);

function folderSink(folder, shards = 2) {
  return {
    async save(artifacts) {
      fs.mkdirSync(folder, { recursive: true });
      const data = Buffer.from(tf.io.CompositeArrayBuffer ? tf.io.CompositeArrayBuffer.join(artifacts.weightData) : artifacts.weightData);
      const step = Math.ceil(data.length / shards), paths = [];
      for (let i = 0; i < shards; i++) {
        paths.push(`group1-shard${i + 1}of${shards}.bin`);
        fs.writeFileSync(path.join(folder, paths[i]), data.subarray(i * step, (i + 1) * step));
      }
      fs.writeFileSync(path.join(folder, "model.json"), JSON.stringify({
        modelTopology: artifacts.modelTopology, format: artifacts.format, generatedBy: artifacts.generatedBy,
        convertedBy: artifacts.convertedBy, weightsManifest: [{ paths, weights: artifacts.weightSpecs }],
      }));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    },
  };
}

function fileSource(file) {
  return {
    async load() {
      const json = JSON.parse(fs.readFileSync(file, "utf8"));
      const parts = json.weightsManifest.flatMap(g => g.paths).map(p => fs.readFileSync(path.join(path.dirname(file), p)));
      const data = Buffer.concat(parts);
      return {
        modelTopology: json.modelTopology, format: json.format,
        weightSpecs: json.weightsManifest.flatMap(g => g.weights),
        weightData: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength),
      };
    },
  };
}

const L = tf.layers;
function models() {
  const conv = tf.sequential({ layers: [
    L.conv2d({ inputShape: [9, 8, 3], filters: 4, kernelSize: 3, padding: "same", strides: 2, activation: "relu6" }),
    L.batchNormalization({ gammaInitializer: "randomUniform", movingVarianceInitializer: "ones", movingMeanInitializer: "randomNormal" }),
    L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: "same", biasInitializer: "randomNormal" }),
    L.leakyReLU({ alpha: 0.1 }),
    L.separableConv2d({ filters: 6, kernelSize: 3, padding: "same" }),
    L.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: "same" }),
    L.upSampling2d({ size: [2, 2] }), L.zeroPadding2d({ padding: 1 }), L.maxPooling2d({ poolSize: 2 }),
    L.globalAveragePooling2d({ dataFormat: "channelsLast" }), L.dense({ units: 3, activation: "softmax" }),
  ] });
  const a = tf.input({ shape: [6], name: "left" }), b = tf.input({ shape: [6], name: "right" });
  const shared = L.dense({ units: 5, activation: "tanh", name: "shared" });
  const joined = L.concatenate().apply([shared.apply(a), shared.apply(b), L.multiply().apply([a, b])]);
  const branches = tf.model({ inputs: [a, b], outputs: [
    L.dense({ units: 2 }).apply(L.layerNormalization().apply(joined)),
    L.add().apply([L.elu().apply(a), L.reLU({ maxValue: 0.5 }).apply(b)])] });
  const recurrent = tf.sequential({ layers: [
    L.embedding({ inputDim: 11, outputDim: 4, inputLength: 5 }),
    L.bidirectional({ layer: L.lstm({ units: 3, returnSequences: true }), mergeMode: "concat" }),
    L.gru({ units: 4, returnSequences: true }), L.timeDistributed({ layer: L.dense({ units: 3 }) }),
    L.simpleRNN({ units: 2 }), L.dense({ units: 1, activation: "hardSigmoid" })] });
  const source = tf.input({ shape: [4, 3], name: "source" }), target = tf.input({ shape: [5, 2], name: "target" });
  const [, h, c] = L.lstm({ units: 3, returnState: true, name: "encoder" }).apply(source);
  const decoded = L.lstm({ units: 3, returnSequences: true, name: "decoder" }).apply(target, { initialState: [h, c] });
  const states = tf.model({ inputs: [source, target], outputs: L.dense({ units: 2 }).apply(decoded) });
  return { conv, branches, recurrent, states };
}

const read = inputs => inputs.map(v => tf.tensor(v.data, v.shape, v.dtype));
const write = outputs => [].concat(outputs).map(t => ({ shape: t.shape, data: Array.from(t.dataSync()) }));

const [command, where, given] = process.argv.slice(2);
if (command === "make") {
  for (const [name, model] of Object.entries(models())) {
    // weights far from their initial values, so that each of them matters; variances must be positive
    model.setWeights(model.getWeights().map((w, i) => {
      const values = tf.randomUniform(w.shape, -0.8, 0.8, "float32", 7 + i);
      return model.weights[i].name.includes("variance") ? values.abs().add(0.2) : values;
    }));
    await model.save(folderSink(path.join(where, name)));
    const inputs = model.inputs.map(i => {
      const shape = [2, ...i.shape.slice(1)], n = shape.reduce((p, q) => p * q, 1);
      const data = Array.from({ length: n }, (_, k) => name === "recurrent" ? (k * 7) % 11 : ((k * 131) % 251) / 251 - 0.4);
      return { shape, data, dtype: name === "recurrent" ? "int32" : "float32" };
    });
    const outputs = write(model.predict(read(inputs).length > 1 ? read(inputs) : read(inputs)[0]));
    fs.writeFileSync(path.join(where, name, "expected.json"), JSON.stringify({ inputs, outputs }));
  }
} else if (command === "known") {
  console.log(JSON.stringify(Object.entries(tf.serialization.SerializationMap.getMap().classNameMap)
    .filter(([, [cls]]) => cls.prototype instanceof tf.layers.Layer).map(([name]) => name)));
} else {
  const model = await tf.loadLayersModel(fileSource(where));
  const inputs = read(JSON.parse(fs.readFileSync(given, "utf8")));
  console.log(JSON.stringify(write(model.predict(inputs.length > 1 ? inputs : inputs[0]))));
}
