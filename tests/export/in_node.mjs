// Runs exported models: a list of { folder, calls: [{ x, shape, batchSize }] } or { folder, script } as JSON; prints what each gives.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const jobs = JSON.parse(readFileSync(0, "utf8"));
const results = [];
for (const { folder, calls = [], train, weighted, script } of jobs) {
  const { load } = await import(pathToFileURL(`${folder}/model.js`));
  if (script) { // a function of `load` and of what says how a promise ends
    const told = (promise) => promise.then((value) => value, (error) => error.message);
    results.push(await (0, eval)(script)(load, told));
    continue;
  }
  const model = await load({ device: "wasm" });
  const given = [];
  for (const { inputs, options } of calls) {
    const parts = inputs.map(({ data, dtype, shape }) => Object.assign(new globalThis[dtype](data), shape ? { shape } : {}));
    try {
      const y = await model.predict(parts.length === 1 ? parts[0] : parts, options);
      const list = Array.isArray(y) ? y : ArrayBuffer.isView(y) ? [y] : Object.values(y);
      given.push(list.map((part) => ({ shape: part.shape, data: Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("base64") })));
    } catch (error) {
      given.push(error.message);
    }
  }
  if (train) {
    const x = new Float32Array(train.x), y = new Int32Array(train.y);
    let batches = 0;
    const history = await model.fit(x, y, { ...train.options, onBatchEnd() { batches += 1; } });
    const tested = await model.evaluate(x, y, train.options);
    writeFileSync(`${folder}/trained.npz`, await model.npz());
    const mistakes = [[x, y.subarray(1)], [x.subarray(0, 36 * 7), y.subarray(0, 7)], [x, new Float32Array(68)]];
    const errors = [];
    for (const [a, b] of mistakes) await model.fit(a, b, train.options).catch((error) => errors.push(error.message));
    await model.fit(x, y, { epoch: 2 }).catch((error) => errors.push(error.message));
    await model.predict(x, { batchsize: 4 }).catch((error) => errors.push(error.message));
    const first = await model.state(), again = await load({ device: "wasm", weights: first });
    results.push({ history, tested, batches, errors, again: await again.evaluate(x, y, train.options) });
    continue;
  }
  if (weighted) {
    const [x, sampleWeight] = [weighted.x, weighted.sampleWeight].map((values) => new Float32Array(values)), y = new Int32Array(weighted.y);
    const plain = await model.evaluate(x, y), wrong = await model.fit(x, y, { sampleWeight: sampleWeight.subarray(1) }).catch((error) => error.message);
    const validationData = [x.subarray(0, 24), y.subarray(0, 8), sampleWeight.subarray(0, 8)];
    const history = await model.fit(x, y, { epochs: 3, sampleWeight, validationData });
    results.push({ history, plain, wrong, tested: await model.evaluate(x, y, { sampleWeight }) });
    continue;
  }
  results.push(given);
}
console.log(JSON.stringify(results));
