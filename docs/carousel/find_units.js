/* Which units are on in a span and off elsewhere; lstm_recipes/lab/find_units.py says the rule, and
 * tests hold this to the same answers. `states` is one array of units for each step. */
"use strict";

const findUnits = (() => {
  function findUnits(states, [first, last], count = 10) {
    const units = states[0].length, found = [];
    for (let unit = 0; unit < units; unit++) {
      const row = Float64Array.from(states, (step) => step[unit]);
      const above = best(row, first, last, unit, 1), below = best(row, first, last, unit, -1);
      found.push(below.score > above.score ? below : above);
    }
    return found.sort((a, b) => b.score - a.score).slice(0, count); // a stable sort
  }

  /* The best threshold of a unit in one direction: the steps beyond it are on, and the score is the
   * intersection over the union of them and the span. */
  function best(row, first, last, unit, sign) {
    const order = Array.from(row, (_, t) => t).sort((a, b) => sign * (row[b] - row[a]) || a - b);
    let hits = 0, found = { unit, sign, threshold: row[order[0]], score: 0 };
    order.forEach((t, k) => {
      if (first <= t && t < last) hits += 1;
      const apart = k + 1 === order.length || row[order[k + 1]] !== row[t];
      const score = hits / (k + 1 + (last - first) - hits);
      if (apart && score > found.score) found = { unit, sign, threshold: row[t], score };
    });
    return found;
  }

  return findUnits;
})();

if (typeof module !== "undefined") module.exports = findUnits;
