// Runs exported models: a list of { folder, calls: [{ x, shape, batchSize }] } as JSON; prints what each gives.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const jobs = JSON.parse(readFileSync(0, "utf8"));
const results = [];
for (const { folder, calls } of jobs) {
  const { load } = await import(pathToFileURL(`${folder}/model.js`));
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
  results.push(given);
}
console.log(JSON.stringify(results));
