// The rows of rows.py in TensorFlow.js: its own layers where it has them, else its ops. Weights and batches are those of pyml.
const RATE = 0.5;

const stack = (tf, ...layers) => tf.sequential({ layers });
const MODELS = {
  conv_lstm_2d: (tf) => stack(tf, tf.layers.convLstm2d({
    filters: 16, kernelSize: 3, padding: 'same', recurrentActivation: 'sigmoid', inputShape: [10, 24, 24, 8] })),
  conv3d: (tf) => stack(tf, tf.layers.conv3d({ filters: 16, kernelSize: 3, padding: 'same', inputShape: [16, 16, 16, 4] })),
  gru: (tf) => stack(tf,
    tf.layers.gru({ units: 64, returnSequences: true, recurrentActivation: 'sigmoid', inputShape: [50, 32] }),
    tf.layers.gru({ units: 64, recurrentActivation: 'sigmoid' })),
};

function layersModel(tf, made, weights) {
  made.setWeights(weights);
  made.compile({ optimizer: tf.train.sgd(RATE), loss: 'meanSquaredError' });
  return { train: (x, y) => made.trainOnBatch(x, y), forward: (x) => made.predict(x) };
}

function transformer(tf, weights) {
  const variables = weights.map((w) => tf.variable(w)), optimizer = tf.train.sgd(RATE);
  const flat = (x, w, b) => {  // x times w over the last axis of x
    const rows = x.reshape([-1, w.shape[0]]);
    return tf.add(tf.matMul(rows, w), b).reshape([...x.shape.slice(0, -1), w.shape[1]]);
  };
  const norm = (x, gain, shift) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x.sub(mean).mul(variance.add(1e-3).rsqrt()).mul(gain).add(shift);
  };
  const gelu = (x) => x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1));
  const block = (x, [gain, shift, wq, bq, wk, bk, wv, bv, wo, bo, gain2, shift2, w1, b1, w2, b2]) => {
    const y = norm(x, gain, shift);
    const head = (w, b) => flat(y, w.reshape([256, 256]), b.flatten()).reshape([4, 256, 4, 64]).transpose([0, 2, 1, 3]);
    const share = tf.softmax(tf.matMul(head(wq, bq), head(wk, bk), false, true).mul(1 / 8));
    const seen = tf.matMul(share, head(wv, bv)).transpose([0, 2, 1, 3]).reshape([4, 256, 256]);
    const between = x.add(flat(seen, wo.reshape([256, 256]), bo));
    return between.add(flat(gelu(flat(norm(between, gain2, shift2), w1, b1)), w2, b2));
  };
  const forward = (x) => {
    for (let i = 0; i < variables.length; i += 16) x = block(x, variables.slice(i, i + 16));
    return x;
  };
  return { forward, train: (x, y) => optimizer.minimize(() => tf.losses.meanSquaredError(y, forward(x)), true) };
}

function augmentation(tf, pictures) {
  const n = pictures.shape[0], side = pictures.shape[1], middle = (side - 1) / 2;
  const random = (low, high) => tf.randomUniform([n, 1], low, high), zero = tf.zeros([n, 1]), one = tf.ones([n, 1]);
  const moved = (x, a, b, c, d, e, f) => tf.image.transform(x, tf.concat([a, b, c, d, e, f, zero, zero], 1), 'bilinear', 'reflect');
  return () => {
    let x = pictures;
    for (const axis of [2, 1]) x = tf.where(random(0, 1).less(0.5).reshape([n, 1, 1, 1]), x.reverse(axis), x);
    const angle = random(-0.1, 0.1).mul(2 * Math.PI), [c, s] = [angle.cos(), angle.sin()];
    const shift = (p, q) => one.sub(p).mul(middle).sub(q.mul(middle));
    x = moved(x, c, s.neg(), shift(c, s.neg()), s, c, shift(c, s));
    const zoom = random(0.8, 1.2);
    x = moved(x, zoom, zero, shift(zoom, zero), zero, zoom, shift(zoom, zero));
    x = moved(x, one, zero, random(-0.1 * side, 0.1 * side), zero, one, random(-0.1 * side, 0.1 * side));
    const mean = x.mean([1, 2], true);
    return x.sub(mean).mul(random(0.8, 1.2).reshape([n, 1, 1, 1])).add(mean).clipByValue(0, 255);
  };
}

const value = async (tensor) => { const values = await tensor.data(); tensor.dispose(); return Float32Array.from(values); };

export function make(tf, row, given) {
  const [x, y, ...weights] = given.map(({ shape, data }) => tf.tensor(data, shape));
  if (row.name === 'augmentation') {
    const run = augmentation(tf, x), step = () => value(tf.tidy(run));
    return { step, whole: async () => { await step(); return new Float32Array(0); } };
  }
  const model = row.name === 'transformer' ? transformer(tf, weights) : layersModel(tf, MODELS[row.name](tf), weights);
  if (row.forward) {
    const step = () => value(tf.tidy(() => model.forward(x)));
    return { step, whole: step };
  }
  const step = async () => {
    const loss = await model.train(x, y);
    return typeof loss === 'number' ? loss : (await value(loss))[0];
  };
  const whole = async () => { const losses = []; for (let i = 0; i < 3; i++) losses.push(await step()); return new Float32Array(losses); };
  return { step, whole };
}
