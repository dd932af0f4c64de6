/* One step of a character model, from the two files that `lstm-recipes char-rnn export --to web`
 * writes: step.json says what the weights in step.bin are. In a page this is a plain script and
 * makes `LSTMStep`; in node, `require("./lstm_step.js")`.
 *
 *   const model = LSTMStep.load(about, bytes);        // step.json as an object, step.bin
 *   let state = LSTMStep.zeroState(model);
 *   const { logits, state: next, gates } = LSTMStep.step(model, token, state);
 *
 * A state is one array of [h] or [h, c] for each recurrent layer; `gates` has for each what its
 * equations name: i, f, g, o, c, h of an LSTM (no f in the cell of 1997), z, r, g, h of a GRU.
 * Weights are float16 numbers; the arithmetic is JavaScript's own, float64.
 */
"use strict";

const LSTMStep = (() => {
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const ACTIVATIONS = {
    linear: (x) => x,
    relu: (x) => Math.max(x, 0),
    sigmoid,
    tanh: Math.tanh,
    cec_input: (x) => 2 * Math.tanh(x / 2), // g of 1997
    cec_output: (x) => Math.tanh(x / 2), // h of 1997
  };

  /* The cells. W, U and b have a block of columns a gate, in the order of `columns`. */

  function lstm(layer, x, [before, c0]) {
    const { peephole, recurrent_kernel: U } = layer.weights;
    const sigma = layer.recurrent, g = layer.inner, show = layer.shown;
    const z = blocks(layer, add(times(before, U), projected(layer, x)));
    const [pi, pf, po] = peephole ? rows(peephole) : [];
    const gate = (net, p, c) => net.map((value, u) => sigma(value + (p ? p[u] * c[u] : 0)));

    const i = gate(z.i, pi, c0);
    const f = z.f && gate(z.f, pf, c0); // the cell of 1997 has none: it keeps all it has
    const a = z.c.map(g);
    const c = c0.map((old, u) => (f ? f[u] : 1) * old + i[u] * a[u]);
    const o = gate(z.o, po, c);
    const h = c.map((value, u) => o[u] * show(value));
    return { state: [h, c], gates: { i, ...(f && { f }), g: a, o, c, h } };
  }

  function gru(layer, x, [before]) {
    const { recurrent_kernel: U, recurrent_bias: b } = layer.weights;
    const sigma = layer.recurrent, phi = layer.inner;
    const net = blocks(layer, projected(layer, x));
    const back = blocks(layer, b ? add(times(before, U), b.values) : times(before, U));

    const z = net.z.map((value, u) => sigma(value + back.z[u]));
    const r = net.r.map((value, u) => sigma(value + back.r[u]));
    const kept = layer.reset_after
      ? back.h.map((value, u) => r[u] * value)
      : blocks(layer, times(before.map((value, u) => r[u] * value), U)).h;
    const g = net.h.map((value, u) => phi(value + kept[u]));
    const h = before.map((old, u) => z[u] * old + (1 - z[u]) * g[u]);
    return { state: [h], gates: { z, r, g, h } };
  }

  const CELLS = { lstm, cec: lstm, gru };

  /* A whole step: the character's vector, the recurrent layers, the logits. */

  function step(model, token, state) {
    const next = [], gates = [];
    let x = null;
    for (const layer of model.layers) {
      if (layer.kind === "embedding") {
        x = row(layer.weights.embeddings, token);
      } else if (layer.kind === "dense") {
        x = projected(layer, x).map(layer.inner);
      } else {
        const done = CELLS[layer.kind](layer, x, state[next.length]);
        next.push(done.state);
        gates.push(done.gates);
        x = done.state[0];
      }
    }
    return { logits: x, state: next, gates };
  }

  function zeroState(model) {
    return model.layers
      .filter((layer) => layer.states)
      .map((layer) => layer.states.map(() => new Float64Array(layer.units)));
  }

  /* The probability of each next character; at temperature 0 the likeliest has all of it. */
  function softmax(logits, temperature = 1) {
    const most = logits.reduce((a, b) => Math.max(a, b));
    if (temperature === 0) {
      const first = logits.indexOf(most);
      return logits.map((_, k) => (k === first ? 1 : 0));
    }
    const powers = logits.map((value) => Math.exp((value - most) / temperature));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((value) => value / sum);
  }

  /* Products. A matrix has its shape and its numbers, row by row. */

  function times(x, { shape: [height, width], values }) {
    const y = new Float64Array(width);
    for (let k = 0; k < height; k++) {
      const scale = x[k], start = k * width;
      for (let j = 0; j < width; j++) y[j] += scale * values[start + j];
    }
    return y;
  }

  const add = (x, y) => x.map((value, k) => value + y[k]);
  const projected = (layer, x) => add(times(x, layer.weights.kernel), layer.weights.bias.values);

  function row({ shape, values }, k) {
    const width = shape[shape.length - 1];
    return Float64Array.from(values.subarray(k * width, (k + 1) * width));
  }

  const rows = (matrix) => Array.from({ length: matrix.shape[0] }, (_, k) => row(matrix, k));

  function blocks({ columns, units }, z) {
    return Object.fromEntries(columns.map((name, k) => [name, z.slice(k * units, (k + 1) * units)]));
  }

  /* Reading the two files. */

  function load(about, bytes) {
    if (about.format !== 1 || about.dtype !== "float16" || bytes.byteLength !== about.bytes) {
      throw new Error("step.json and step.bin do not belong together, or are of another format");
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const layers = about.layers.map((layer) => ({
      ...layer,
      weights: Object.fromEntries(
        Object.entries(layer.weights).map(([name, at]) => [name, weight(view, at)]),
      ),
      inner: ACTIVATIONS[layer.activation],
      shown: ACTIVATIONS[layer.output_activation],
      recurrent: ACTIVATIONS[layer.recurrent_activation],
    }));
    return { vocabulary: about.vocabulary, layers };
  }

  function weight(view, { shape, offset }) {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let k = 0; k < values.length; k++) values[k] = float16(view.getUint16(offset + 2 * k, true));
    return { shape, values };
  }

  /* One sign bit, five of the exponent, ten of the fraction. */
  function float16(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  function fromBase64(text) {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  }

  return { load, zeroState, step, softmax, fromBase64 };
})();

if (typeof module !== "undefined") module.exports = LSTMStep;
