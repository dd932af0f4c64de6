/* The carousel: type, and see what one unit of an LSTM keeps.
 *
 * Every `<div class="carousel">` of a page becomes one, when it comes into view; only then are the
 * weights loaded. The scripts beside this one are loaded as scripts, which works from file:// too:
 * lstm_step.js (the network), find_units.js (the search), weights.js (two trained models, made by
 * make.py). Nothing else is asked for.
 */
"use strict";

(() => {
  const HERE = document.currentScript.src;
  const PARTS = ["lstm_step.js", "find_units.js", "weights.js"];
  const LONGEST = 3000; // characters
  const WRITTEN = 400; // characters that one press of the button writes, at most
  const GATES = ["i", "f", "g", "o", "c", "h"];
  const MODELS = {
    cec: { year: "1997", name: "carousel", about: "No forget gate: c is carried on by exactly 1, and only ever added to." },
    forget: { year: "2000", name: "forget gate", about: "c is carried on by f, which has learnt when to let go." },
  };
  // From the part of the plays that neither model was trained on.
  const OPENING =
    "GREMIO:\nGood morrow, neighbour Baptista.\n\nBAPTISTA:\nGood morrow, neighbour Gremio.\n" +
    "God save you, gentlemen!\n\nPETRUCHIO:\nAnd you, good sir! Pray, have you not a daughter\n" +
    "Call'd Katharina, fair and virtuous?\n";
  const CARET = OPENING.indexOf("hter"); // what stands before it is spoken of at first

  /* Elements */

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  const visible = (character) => ({ "\n": "↵", " ": "␣", "\t": "⇥" })[character] ?? character;
  const signed = (value) => `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`;
  const percent = (share) =>
    share > 0 && share < 0.0005 ? "< 0.1 %" : `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;

  /* Colours: from CSS, so that light and dark are the style sheet's business. */

  function palette(root) {
    const style = getComputedStyle(root);
    const read = (name) => {
      const hex = style.getPropertyValue(`--carousel-${name}`).trim();
      return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
    };
    const names = ["zero", "above", "below", "gate", "ink", "faint", "mark"];
    return Object.fromEntries(names.map((name) => [name, read(name)]));
  }

  const mixed = (from, to, share) => from.map((value, k) => Math.round(value + (to[k] - value) * share));
  const css = (color) => `rgb(${color.join(" ")})`;

  /* A value from -1 to 1 as a colour; `gate` ones run from 0 to 1 in a colour of their own. */
  function colored(colors, value, gate = false) {
    const end = gate ? colors.gate : value < 0 ? colors.below : colors.above;
    return mixed(colors.zero, end, Math.min(Math.abs(value), 1));
  }

  /* A text and all that a model does while it reads it. */

  class Reading {
    constructor(weights) {
      this.model = LSTMStep.load(weights.about, LSTMStep.fromBase64(weights.step));
      this.layer = this.model.layers.find((layer) => layer.states);
      this.units = this.layer.units;
      this.tokens = new Map(this.model.vocabulary.map((character, k) => [character, k]));
      this.characters = [];
      this.steps = [];
      this.picture = element("canvas", { width: LONGEST, height: this.units }); // of all cells
      this.painted = 0; // its columns that are done
    }

    /* The steps of what the two texts begin with alike stay. */
    give(characters) {
      let same = 0;
      while (same < this.steps.length && characters[same] === this.characters[same]) same += 1;
      this.characters = characters;
      this.steps.length = same;
      this.painted = Math.min(this.painted, same);
    }

    get done() {
      return this.steps.length === this.characters.length;
    }

    /* Read on for some milliseconds. A character that the model does not know changes nothing. */
    go(milliseconds) {
      const until = performance.now() + milliseconds;
      while (!this.done && performance.now() < until) {
        const before = this.steps.at(-1) ?? this.first();
        const token = this.tokens.get(this.characters[this.steps.length]);
        this.steps.push(
          token === undefined
            ? { ...before, known: false }
            : { ...LSTMStep.step(this.model, token, before.state), known: true },
        );
      }
    }

    first() {
      const state = LSTMStep.zeroState(this.model);
      const zeros = new Float64Array(this.units);
      const logits = new Float64Array(this.model.vocabulary.length);
      return { logits, state, gates: [Object.fromEntries(GATES.map((name) => [name, zeros]))] };
    }

    has(name) {
      return name !== "f" || this.layer.columns.includes("f");
    }

    value(name, t, unit) {
      return this.has(name) ? this.steps[t].gates[0][name][unit] : 1;
    }

    /* What is coloured, from -1 to 1: of the cell, what the output gate lets out, h(c). */
    shade(name, t, unit) {
      const value = this.value(name, t, unit);
      if (name === "c") return this.layer.shown(value);
      return name === "g" && this.layer.activation === "cec_input" ? value / 2 : value;
    }

    /* The next character after step t: [character, probability], the likeliest first. */
    next(t, temperature) {
      const shares = LSTMStep.softmax(this.steps[t].logits, temperature);
      return Array.from(shares, (share, k) => [this.model.vocabulary[k], share]).sort(
        (a, b) => b[1] - a[1],
      );
    }

    draw(temperature) {
      let left = Math.random();
      const ranked = this.next(this.steps.length - 1, temperature);
      return (ranked.find(([, share]) => (left -= share) < 0) ?? ranked[0])[0];
    }
  }

  /* The page's part. */

  class Carousel {
    constructor(root, weights) {
      this.root = root;
      this.weights = weights;
      this.readings = {};
      this.unit = {};
      for (const name of Object.keys(MODELS)) {
        this.unit[name] = weights[name].notable.find((one) => one.of === "c").unit;
      }
      this.shown = "c"; // what is coloured and searched: the cell, or the output
      this.temperature = 0.7;
      this.hovered = null;
      this.span = null;
      this.spans = [];
      this.characters = [];
      this.offsets = [0];
      this.frames = {};
      this.build();
      this.colors = palette(root);
      this.choose("forget");
      this.text.value = OPENING;
      this.text.setSelectionRange(CARET, CARET);
      this.changed();
      this.watch();
    }

    get reading() {
      return this.readings[this.name];
    }

    /* The character that is spoken of: the one under the pointer, or else the one before the caret. */
    get now() {
      const last = this.reading.steps.length - 1;
      if (this.hovered !== null) return Math.min(this.hovered, last);
      return Math.min(Math.max(this.place(this.text.selectionEnd) - 1, 0), last);
    }

    /* Building */

    build() {
      const id = (name) => `carousel-${name}-${(Carousel.count = (Carousel.count ?? 0) + 1)}`;
      const group = id("model");
      this.switches = Object.entries(MODELS).map(([name, model]) =>
        element("input", {
          type: "radio", name: group, value: name, id: id("choice"), onchange: () => this.choose(name),
        }),
      );
      const labels = this.switches.map((input) =>
        element("label", { for: input.id },
          element("b", {}, MODELS[input.value].year), ` ${MODELS[input.value].name}`),
      );
      const choice = element("fieldset", { class: "carousel-switch" },
        element("legend", { class: "carousel-hidden" }, "Which cell"),
        ...this.switches.flatMap((input, k) => [input, labels[k]]));

      this.about = element("p", { class: "carousel-about" });

      const unit = id("unit");
      this.slider = element("input", {
        type: "range", id: unit, min: 0, max: 1, step: 1, oninput: () => this.pick(+this.slider.value),
      });
      this.number = element("output", { for: unit });
      const pick = element("div", { class: "carousel-slider" },
        element("label", { for: unit }, "Unit"), this.slider, this.number);

      const shown = id("shown");
      this.chooser = element("select", { id: shown, onchange: () => this.color(this.chooser.value) },
        element("option", { value: "c" }, "cell c"), element("option", { value: "h" }, "output h"));
      const choose = element("div", { class: "carousel-choose" },
        element("label", { for: shown }, "Colour"), this.chooser);

      const text = id("text");
      this.behind = element("div", { class: "carousel-behind", "aria-hidden": "true" });
      this.text = element("textarea", {
        id: text, maxlength: LONGEST, spellcheck: "false", autocomplete: "off", autocapitalize: "off",
        autocorrect: "off", "aria-describedby": id("help"), oninput: () => this.changed(),
        onpointermove: (event) => this.hover(this.under(event)), onpointerleave: () => this.hover(null),
        onkeydown: () => this.hover(null),
      });
      for (const name of ["select", "keyup", "pointerup", "focus"]) {
        this.text.addEventListener(name, () => this.selected());
      }
      document.addEventListener("selectionchange", () => {
        if (document.activeElement === this.text) this.selected();
      });
      this.surface = element("div", { class: "carousel-surface" },
        element("div", { class: "carousel-layers" }, this.behind, this.text));

      this.legend = element("p", { class: "carousel-legend", id: this.text.getAttribute("aria-describedby") });
      this.notable = element("div", { class: "carousel-chips" });

      const warmth = id("temperature");
      this.warmth = element("input", {
        type: "range", id: warmth, min: 0, max: 1.5, step: 0.05, value: this.temperature,
        oninput: () => this.warm(+this.warmth.value),
      });
      this.degrees = element("output", { for: warmth });
      this.writer = element("button", {
        type: "button", class: "carousel-write", onclick: () => (this.writing ? this.stop() : this.write()),
      }, "Write on");
      const clear = element("button", { type: "button", onclick: () => this.clear() }, "Clear");
      const actions = element("div", { class: "carousel-actions" }, this.writer, clear,
        element("div", { class: "carousel-slider" },
          element("label", { for: warmth }, "Temperature"), this.warmth, this.degrees));

      this.gates = element("canvas", { role: "img" });
      this.reel = element("div", { class: "carousel-reel" });
      this.scroller = element("div", {
        class: "carousel-scroller", tabindex: 0, role: "group",
        "aria-label": "Gates and cell over time; the arrow keys move the character",
        onscroll: () => this.point(), onkeydown: (event) => this.walk(event),
        onpointermove: (event) => this.hover(this.column(event)), onpointerleave: () => this.hover(null),
        onclick: (event) => this.caret(this.column(event)),
      }, this.reel);
      this.reel.append(this.gates);
      this.readout = element("p", { class: "carousel-readout", "aria-live": "polite" });

      this.all = element("canvas", {
        role: "img", onclick: (event) => this.pick(this.row(event)),
        onpointermove: (event) => (this.all.title = `unit ${this.row(event)}: click to pick it`),
      });
      this.allTitle = element("h3", {}, "All units");
      this.nextTitle = element("h3", {}, "Next character");
      this.bars = element("ol", { class: "carousel-bars" });
      this.found = element("div", { class: "carousel-chips", role: "status" });

      this.root.replaceChildren(
        element("div", { class: "carousel-top" }, choice, choose, pick), this.about,
        element("label", { for: text, class: "carousel-hidden" }, "Text that the network reads; type, paste, or select a span"),
        this.surface, this.legend,
        element("div", { class: "carousel-named" }, element("h3", {}, "Units to look at"), this.notable),
        actions,
        element("section", { class: "carousel-named" },
          element("h3", {}, "Units that are on exactly in the selection"), this.found),
        element("section", {}, (this.gatesTitle = element("h3")), this.scroller, this.readout),
        element("div", { class: "carousel-pair" },
          element("section", {}, this.nextTitle, this.bars),
          element("section", {}, this.allTitle, this.all)),
      );
      this.warm(this.temperature);
    }

    /* What comes from outside: another width, another colour scheme. */
    watch() {
      const recolor = () => {
        this.colors = palette(this.root);
        for (const reading of Object.values(this.readings)) reading.painted = 0;
        this.show();
      };
      new ResizeObserver(() => this.point()).observe(this.root);
      const options = { attributes: true, attributeFilter: ["data-md-color-scheme"] };
      new MutationObserver(recolor).observe(document.body, options);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
    }

    /* What a person does */

    choose(name) {
      this.name = name;
      this.readings[name] ??= new Reading(this.weights[name]);
      for (const input of this.switches) input.checked = input.value === name;
      this.slider.max = this.reading.units - 1;
      this.slider.value = this.unit[name];
      this.notable.replaceChildren(...this.notables());
      const { parameters, nats_per_character: nats } = this.weights[name].measured;
      this.about.textContent = `${MODELS[name].about} ${this.reading.units} units, ` +
        `${parameters.toLocaleString("en")} weights; ${nats.toFixed(2)} nats a character on text that it was not trained on.`;
      this.reading.give(this.characters);
      this.read();
    }

    pick(unit) {
      this.unit[this.name] = Math.min(Math.max(unit, 0), this.reading.units - 1);
      this.slider.value = this.unit[this.name];
      this.show();
    }

    color(name) {
      this.shown = this.chooser.value = name;
      for (const reading of Object.values(this.readings)) reading.painted = 0;
      this.show();
      this.find();
    }

    warm(temperature) {
      this.temperature = temperature;
      this.degrees.value = temperature.toFixed(2);
      if (this.name) this.point();
    }

    hover(t) {
      if (t === this.hovered) return;
      this.hovered = t;
      this.point();
    }

    /* The text is another one. */
    changed() {
      this.characters = Array.from(this.text.value);
      this.offsets = [0];
      for (const character of this.characters) this.offsets.push(this.offsets.at(-1) + character.length);
      this.reading.give(this.characters);
      this.lay();
      this.selected();
      this.read();
    }

    clear() {
      this.stop();
      this.text.value = "";
      this.changed();
      this.text.focus();
    }

    selected() {
      const first = this.place(this.text.selectionStart), last = this.place(this.text.selectionEnd);
      const span = first < last ? [first, last] : null;
      if (String(span) !== String(this.span)) {
        this.span = span;
        this.spans.forEach((one, t) => one.classList.toggle("in-span", span !== null && first <= t && t < last));
        this.find();
      }
      this.point();
    }

    walk(event) {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by === undefined || this.reading.steps.length === 0) return;
      event.preventDefault();
      this.hovered = null;
      this.caret(Math.min(Math.max(this.now + by, 0), this.reading.steps.length - 1));
    }

    /* Put the caret behind character t. */
    caret(t) {
      if (t === null) return;
      this.text.setSelectionRange(this.offsets[t + 1], this.offsets[t + 1]);
      this.selected();
    }

    /* Write on: a character every thirtieth of a second; at once where motion is not wanted. */
    write() {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.writing = true;
      this.readout.setAttribute("aria-live", "off"); // nobody can listen so fast
      this.writer.textContent = "Stop";
      let left = WRITTEN, due = performance.now();
      const frame = (time) => {
        if (!this.writing) return;
        if (!this.reading.done) return requestAnimationFrame(frame); // it reads what is there first
        for (let burst = still ? 50 : 3; burst > 0 && left > 0 && (still || due <= time); burst--) {
          if (this.text.value.length >= LONGEST) left = 1;
          else this.append(this.characters.length ? this.reading.draw(this.temperature) : "\n");
          due = Math.max(due + 33, time - 100);
          left -= 1;
        }
        if (left > 0) requestAnimationFrame(frame);
        else this.stop();
      };
      requestAnimationFrame(frame);
    }

    append(character) {
      this.text.value += character;
      this.text.setSelectionRange(this.text.value.length, this.text.value.length);
      this.changed();
      this.surface.scrollTop = this.surface.scrollHeight;
    }

    stop() {
      this.writing = false;
      this.readout.setAttribute("aria-live", "polite");
      this.writer.textContent = "Write on";
    }

    /* Places: offsets in a textarea count UTF-16 units, steps count characters. */

    place(offset) {
      let [low, high] = [0, this.offsets.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.offsets[middle] < offset) low = middle + 1;
        else high = middle;
      }
      return low;
    }

    under({ clientX, clientY }) {
      const span = document.elementsFromPoint(clientX, clientY).find((one) => one.parentNode === this.behind);
      return span ? this.spans.indexOf(span) : null;
    }

    column(event) {
      const { gutter, wide } = SHAPE;
      const x = event.clientX - this.scroller.getBoundingClientRect().left;
      const t = Math.floor((x - gutter + this.scroller.scrollLeft) / wide);
      return x >= gutter && 0 <= t && t < this.reading.steps.length ? t : null;
    }

    row(event) {
      const { top, height } = this.all.getBoundingClientRect();
      return Math.min(Math.max(Math.floor(((event.clientY - top) / height) * this.reading.units), 0), this.reading.units - 1);
    }

    /* Reading, a few milliseconds at a time, so that the page stays quick. */
    read() {
      cancelAnimationFrame(this.frames.read);
      this.reading.go(12);
      this.show();
      if (this.reading.done) this.find();
      else this.frames.read = requestAnimationFrame(() => this.read());
    }

    /* Showing */

    show() {
      const { reading, name } = this, unit = this.unit[name];
      this.number.value = unit;
      this.root.dataset.steps = reading.steps.length;
      this.root.dataset.model = name;
      this.spans.forEach((span, t) => {
        span.style.backgroundColor =
          t < reading.steps.length ? css(colored(this.colors, reading.shade(this.shown, t, unit))) : "";
      });
      for (const chip of this.root.querySelectorAll("[data-unit]")) {
        const { unit: number, of = this.shown } = chip.dataset;
        chip.setAttribute("aria-pressed", String(+number === unit && of === this.shown));
      }
      this.explain(unit);
      this.point();
    }

    /* The coloured characters behind the text. Those that stay the same stay as they are. */
    lay() {
      const { characters, spans } = this;
      let same = 0;
      while (same < spans.length && spans[same].textContent === characters[same]) same += 1;
      for (const gone of spans.splice(same)) gone.remove();
      for (const character of characters.slice(same)) {
        const span = element("span", character === "\n" ? { class: "is-line-end" } : {}, character);
        span.classList.toggle("is-unknown", !this.reading.tokens.has(character));
        spans.push(span);
      }
      this.behind.append(...spans.slice(same));
      this.span = null; // so that it is marked anew
    }

    explain(unit) {
      const { reading } = this;
      const out = this.shown === "h" ? "h"
        : reading.layer.output_activation === "cec_output" ? "tanh(c/2)" : "tanh(c)";
      const bar = element("span", { class: "carousel-scale", "aria-hidden": "true" });
      const unknown = new Set(this.characters.filter((one) => !reading.tokens.has(one)));
      const parts = [`Colour: ${out} of unit ${unit} after each character, −1 `, bar, " 1."];
      if (unknown.size) parts.push(` Passed over, never seen in training: ${[...unknown].map(visible).join(" ")}`);
      if (this.text.value.length >= LONGEST) parts.push(` ${LONGEST.toLocaleString("en")} characters: the end of the paper.`);
      this.legend.replaceChildren(...parts);
      this.gatesTitle.textContent = `Unit ${unit}, step by step`;
      this.allTitle.textContent = `All ${reading.units} units, ${out}`;
    }

    /* What changes with the character that is spoken of: once a frame, however often it is asked. */
    point() {
      this.frames.point ??= requestAnimationFrame(() => {
        this.frames.point = null;
        const t = this.now;
        this.marked?.classList.remove("is-now");
        this.marked = this.spans[t];
        this.marked?.classList.add("is-now");
        this.tell(t);
        this.predict(t);
        this.reveal(t);
        paintGates(this);
        paintAll(this);
      });
    }

    tell(t) {
      const { reading } = this, unit = this.unit[this.name];
      if (t < 0) {
        this.readout.textContent = "Type something: there is no character yet.";
        return;
      }
      const about = GATES.map((name) =>
        reading.has(name) ? `${name} ${signed(reading.value(name, t, unit))}` : `${name} 1, always`,
      );
      const likely = reading.next(t, this.temperature).slice(0, 3).map(([one, share]) => `“${visible(one)}” ${percent(share)}`);
      this.readout.textContent = `Character ${t + 1}, “${visible(reading.characters[t])}”: ${about.join(" · ")}. ` +
        `Likeliest next: ${likely.join(", ")}.`;
    }

    predict(t) {
      const { reading } = this;
      if (t < 0) {
        this.nextTitle.textContent = "Next character";
        this.bars.replaceChildren();
        return;
      }
      const before = reading.characters.slice(Math.max(0, t - 7), t + 1).map(visible).join("");
      this.nextTitle.textContent = `Next after “${before}”`;
      const came = reading.characters[t + 1];
      const ranked = reading.next(t, this.temperature);
      const shown = ranked.slice(0, 8);
      if (came !== undefined && !shown.some(([one]) => one === came)) {
        const late = ranked.find(([one]) => one === came);
        if (late) shown.splice(7, 1, late);
      }
      this.bars.replaceChildren(...shown.map(([one, share]) => this.bar(one, share, one === came)));
    }

    bar(character, share, came) {
      const line = element("span", { class: "carousel-bar" });
      line.style.setProperty("--share", share);
      return element("li", came ? { class: "came" } : {},
        element("code", {}, visible(character)), line, element("span", {}, percent(share)),
        element("span", { class: "carousel-came" }, came ? "came" : ""));
    }

    notables() {
      const { notable } = this.weights[this.name];
      const show = (unit, of) => {
        this.color(of);
        this.pick(unit);
      };
      return notable.map(({ label, unit, of }) =>
        element("button", { type: "button", "data-unit": unit, "data-of": of, onclick: () => show(unit, of) },
          `${label} `, element("b", {}, of + unit)));
    }

    find() {
      const { span, reading } = this;
      const whole = span && span[1] - span[0] >= reading.steps.length;
      if (!span || whole || !reading.done) {
        this.found.replaceChildren(element("span", { class: "carousel-hint" },
          whole ? "Leave a part of the text unselected." : "Select a span of the text: a name, a word, a line."));
        return;
      }
      const best = findUnits(reading.steps.map((step) => step.gates[0][this.shown]), span, 6);
      this.found.replaceChildren(...best.map(({ unit, sign, threshold, score }) =>
        element("button", {
          type: "button", "data-unit": unit, class: sign > 0 ? "above" : "below", onclick: () => this.pick(unit),
          "aria-pressed": String(unit === this.unit[this.name]),
          title: `on where ${this.shown} ${sign > 0 ? "≥" : "≤"} ${signed(threshold)}`,
        }, "unit ", element("b", {}, unit), ` ${percent(score)}`)));
    }

    /* Keep the column of the character in sight, unless the pointer is on the picture itself. */
    reveal(t) {
      if (t === this.revealed || this.scroller.matches(":hover")) return;
      this.revealed = t;
      const { gutter, wide } = SHAPE, { scrollLeft, clientWidth } = this.scroller;
      const left = t * wide, right = left + wide + gutter;
      if (left < scrollLeft || right > scrollLeft + clientWidth) {
        this.scroller.scrollLeft = left - (clientWidth - gutter) / 2;
      }
    }
  }

  /* Pictures */

  const SHAPE = { gutter: 40, wide: 12, tall: 17, curve: 76, foot: 20 };

  /* A canvas of this size in CSS pixels, cleared and ready to be drawn on. */
  function fresh(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = "11px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";
    context.textBaseline = "middle";
    return context;
  }

  /* One unit: the curve of c on its own scale, then a row a gate, then the characters. Only the
   * columns that are in sight are drawn. */
  function paintGates({ reading, unit, name, scroller, reel, gates, colors, span, now }) {
    const { gutter, wide, tall, curve, foot } = SHAPE;
    const one = unit[name], time = reading.steps.length;
    const width = scroller.clientWidth, height = curve + GATES.length * tall + foot;
    reel.style.width = `${Math.max(gutter + time * wide, 1)}px`;
    const draw = fresh(gates, width, height);
    const first = Math.floor(scroller.scrollLeft / wide);
    const last = Math.min(time, first + Math.ceil(width / wide) + 1);
    const at = (t) => gutter + t * wide - scroller.scrollLeft;

    const cells = Array.from({ length: time }, (_, t) => reading.value("c", t, one));
    const [least, most] = [Math.min(0, ...cells), Math.max(0, ...cells)];
    const y = (c) => 8 + ((most - c) / (most - least || 1)) * (curve - 18);
    gates.setAttribute("aria-label", `Unit ${one} over ${time} characters: c runs from ` +
      `${signed(least)} to ${signed(most)} and ends at ${signed(cells.at(-1) ?? 0)}.`);

    for (let t = first; t < last; t++) {
      GATES.forEach((gate, k) => {
        draw.fillStyle = css(colored(colors, reading.shade(gate, t, one), "ifo".includes(gate)));
        draw.fillRect(at(t), curve + k * tall, wide, tall - 1);
      });
      draw.fillStyle = css(colors.ink);
      draw.textAlign = "center";
      draw.fillText(visible(reading.characters[t]), at(t) + wide / 2, height - foot / 2);
    }
    draw.fillStyle = css(colors.faint);
    draw.fillRect(gutter, y(0), width, 1);
    draw.strokeStyle = css(colors.ink);
    draw.lineWidth = 1.5;
    draw.beginPath();
    for (let t = Math.max(first - 1, 0); t < last; t++) draw.lineTo(at(t) + wide / 2, y(cells[t]));
    draw.stroke();

    draw.strokeStyle = css(colors.mark);
    draw.lineWidth = 2;
    if (span) draw.strokeRect(at(span[0]), curve - 2, (span[1] - span[0]) * wide, GATES.length * tall + 2);
    if (now >= 0) {
      draw.lineWidth = 1;
      draw.strokeRect(at(now) + 0.5, 0.5, wide - 1, height - 1);
      draw.fillStyle = css(colors.mark);
      draw.beginPath();
      draw.arc(at(now) + wide / 2, y(cells[now]), 3.5, 0, 7);
      draw.fill();
    }
    names(draw, { reading, colors, height, least, most, y });
  }

  /* What the rows are, on top of what has scrolled below it. */
  function names(draw, { reading, colors, height, least, most, y }) {
    const { gutter, tall, curve } = SHAPE;
    draw.fillStyle = css(colors.zero);
    draw.fillRect(0, 0, gutter - 1, height);
    draw.fillStyle = css(colors.ink);
    draw.textAlign = "right";
    const short = (value) => (Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(1)).replace("-", "−");
    if (most > 0) draw.fillText(short(most), gutter - 6, y(most));
    if (least < 0) draw.fillText(short(least), gutter - 6, y(least));
    draw.textAlign = "left";
    draw.font = `italic ${draw.font}`;
    draw.fillText("c", 4, curve / 2);
    GATES.forEach((gate, k) => {
      const label = reading.has(gate) ? gate : `${gate} = 1`;
      draw.fillText(gate === "c" ? "h(c)" : label, 4, curve + k * tall + tall / 2);
    });
  }

  /* Every unit's cell: a pixel a step and unit, stretched. */
  function paintAll({ reading, unit, name, all, colors, now, shown }) {
    const time = reading.steps.length, { units } = reading;
    const width = all.parentNode.clientWidth, height = Math.round(units * 1.2);
    const draw = fresh(all, width, height);
    all.setAttribute("aria-label", `${shown === "c" ? "The cell states" : "The outputs"} of all ${units} units over ${time} characters; ` +
      `unit ${unit[name]} is marked. The slider picks a unit, as a click here does.`);
    if (time === 0) return;
    paintColumns(reading, colors, shown);
    draw.imageSmoothingEnabled = false;
    draw.drawImage(reading.picture, 0, 0, time, units, 0, 0, width, height);
    const row = height / units;
    draw.strokeStyle = css(colors.mark);
    draw.strokeRect(0.5, unit[name] * row - 1.5, width - 1, row + 3);
    draw.fillStyle = css(colors.mark);
    if (now >= 0) draw.fillRect(((now + 0.5) / time) * width - 0.5, 0, 1, height);
  }

  /* The columns that are not painted yet. */
  function paintColumns(reading, colors, shown) {
    const { units, picture, painted, steps } = reading, time = steps.length - painted;
    if (time === 0) return;
    const context = picture.getContext("2d"), image = context.createImageData(time, units);
    for (let t = 0; t < time; t++) {
      for (let u = 0; u < units; u++) {
        const [red, green, blue] = colored(colors, reading.shade(shown, painted + t, u));
        const at = 4 * (u * time + t);
        image.data[at] = red;
        image.data[at + 1] = green;
        image.data[at + 2] = blue;
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, painted, 0);
    reading.painted = steps.length;
  }

  /* Starting */

  let loading = null;

  function script(part) {
    return new Promise((resolve, reject) => {
      const failed = () => reject(new Error(`${part} did not load`));
      document.head.append(element("script", { src: new URL(part, HERE), onload: resolve, onerror: failed }));
    });
  }

  async function start(root) {
    root.dataset.state = "loading";
    root.replaceChildren(element("p", { class: "carousel-wait", role: "status" }, "Loading two small networks, 1 MB…"));
    try {
      await (loading ??= Promise.all(PARTS.map(script)));
      root.carousel = new Carousel(root, CAROUSEL_WEIGHTS);
      root.dataset.state = "ready";
    } catch (error) {
      root.dataset.state = "failed";
      root.replaceChildren(element("p", { class: "carousel-wait", role: "alert" }, `The carousel did not start: ${error.message}.`));
      throw error;
    }
  }

  function wait(root) {
    root.dataset.state = "waiting";
    const button = element("button", { type: "button", onclick: () => start(root) }, "Start the carousel (1 MB)");
    root.replaceChildren(element("p", { class: "carousel-wait" }, button));
    if (navigator.connection?.saveData) return;
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      if (root.dataset.state === "waiting") start(root);
    });
    watcher.observe(root);
  }

  const begin = () => document.querySelectorAll("div.carousel").forEach(wait);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
