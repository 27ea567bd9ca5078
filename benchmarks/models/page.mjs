// One network, several contenders, one page: each loads it and predicts once, what they predict is compared, then
// they predict in turn. Files come from the yardstick's server (run.py), which serves this repository as /extra/.
import { picture } from '../picture.mjs';
import * as peers from './peers.mjs';
import { make as pyml } from './pyml.mjs';

const query = JSON.parse(new URLSearchParams(location.search).get('q'));
const out = window.out = { contenders: {}, isolated: crossOriginIsolated, threads: navigator.hardwareConcurrency };
const short = (error) => String(error?.message ?? error).trim().split('\n').at(-1).slice(0, 300);   // Python's last line says it
const now = () => performance.now();
const within = (work, ms, what) => Promise.race([
  work, new Promise((_, no) => setTimeout(() => no(new Error(`${what} took more than ${ms} ms`)), ms)),
]);

// The largest difference of two predictions, lists of arrays.
function difference(a, b) {
  if (a.length !== b.length || a.some((v, i) => v.length !== b[i].length)) return Infinity;
  let most = 0;
  a.forEach((v, i) => v.forEach((n, k) => { const d = Math.abs(n - b[i][k]); if (!(d <= most)) most = d; }));
  return most;
}

async function main() {
  const { network, contenders, budget, rounds, minRounds, limit, page } = query, end = now() + page;
  const x = await picture(network), live = [];
  let expected;
  for (const id of contenders) {
    const record = out.contenders[id] = { status: 'running', times: [], rounds: [] };
    try {
      let t = now();
      const contender = id.startsWith('pyml') ? pyml(id) : peers.make(id);
      record.info = await within(contender.init(), limit, 'starting');
      record.library_ms = now() - t;
      t = now();
      const predict = await within(contender.load(network, x), limit, 'loading');
      record.load_ms = now() - t;
      const first = await within(predict(), limit, 'the first prediction');
      record.first_ms = now() - t;                     // load to first prediction
      const values = (first ?? await contender.values()).map((v) => Float32Array.from(v));
      expected ??= values;
      record.difference = difference(values, expected);
      record.largest = Math.max(...values.map((v) => v.reduce((m, n) => Math.max(m, Math.abs(n)), 0)));
      if (!(record.difference <= network.tolerance * Math.max(1, record.largest))) {
        throw new Error(`predicts something else: differs by ${record.difference}`);
      }
      live.push({ id, contender, predict, record, spent: 0 });
    } catch (error) {
      record.status = 'failed';
      record.reason = short(error);
    }
    console.log(`${network.name} ${id}: ${record.reason ?? `first after ${Math.round(record.first_ms)} ms`}`);
  }
  // Round 0 warms up. Its times count only where predictions take so long that there are few of them.
  for (let round = 0; round <= rounds && (round < minRounds || now() < end); round++) {
    for (let i = 0; i < live.length; i++) {
      const L = live[(i + round) % live.length], { contender, predict, record } = L;
      if (record.status === 'failed' || (round >= minRounds && L.spent > budget)) continue;
      try {
        await contender.activate?.();
        await new Promise((go) => setTimeout(go, 10));
        const t = now();
        await within(predict(), limit, 'a prediction');
        record.times.push(now() - t);
        record.rounds.push(round);
        L.spent += record.times.at(-1);
      } catch (error) {
        record.status = 'failed';
        record.reason = short(error);
      }
    }
  }
  if (live.every(({ record }) => record.times.length > 3)) {
    for (const { record } of live) { record.times.shift(); record.rounds.shift(); }
  }
  for (const { contender, record } of live) {
    if (record.status === 'running') record.status = 'ok';
    record.profile = await contender.profile?.().catch((error) => ({ failed: short(error) }));
  }
}
main().catch((error) => { out.error = String(error?.stack ?? error).slice(0, 600); }).finally(() => { window.done = true; });
