# %% [markdown]
# # From 1990 to 2017, in code
#
# Each recurrent layer repaired something that the one before it could not do, and the last step left
# the recurrence out. Here they stand in their order: the equation, what it repaired, a check of a
# few lines with the package's own layers, and what was measured of it at full size. Those numbers
# are read from the result files of the repository, if the notebook stands in it; each of them has
# its date, its seeds and its machine there.
#
# **Time:** two to three minutes on two cores. With `LSTM_RECIPES_FAST=1` in the environment it takes
# under a minute: fewer steps, which tests the page. Nothing is downloaded.

# %%
import os

from lstm_recipes.quiet import load_tensorflow

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
load_tensorflow()  # leaves out what it says of itself while it starts

# %%
import json
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from lstm_recipes.lab.gradient_flow import gradient_flow
from lstm_recipes.lab.state_traces import trace
from lstm_recipes.lab.timing import in_turns
from lstm_recipes.layers import (
    CECLSTM,
    GRU,
    BahdanauAttention,
    ForgetGateLSTM,
    PeepholeLSTM,
    Residual,
)
from lstm_recipes.models.seq2seq import made

tf.get_logger().setLevel("ERROR")  # it remarks on code that is compiled for several models

FAST = os.environ.get("LSTM_RECIPES_FAST") == "1"

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#666666"
plt.rcParams.update(
    {
        "figure.figsize": (7, 2.8),
        "figure.dpi": 120,
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 10,
        "legend.frameon": False,
    }
)

RESULTS = next(
    (
        folder / "benchmarks" / "results"
        for folder in [Path.cwd(), *Path.cwd().parents]
        if (folder / "benchmarks" / "results").is_dir()
    ),
    None,
)


def measured(what: str, pattern: str, value: Callable[[dict], float], digits: int = 2) -> None:
    """Print the mean of a number over the result files of a pattern, and how many there are."""
    files = sorted(RESULTS.glob(pattern)) if RESULTS else []
    if not files:
        print(f"{what}: no result file here; the repository has them")
        return
    found = [json.loads(path.read_text("utf-8")) for path in files]
    values = [value(one["metrics"]) for one in found]
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    seeds = f"n = {len(values)}, {found[-1]['date']}"
    print(f"{what}: {statistics.mean(values):,.{digits}f}{spread} ({seeds})")


def learnt(what: str, *rows: str) -> None:
    """Print of each row of the laboratory's ledger how many of its networks learnt the task."""
    for row in rows:
        path = RESULTS / row if RESULTS else None
        if path is None or not path.exists():
            print(f"{what}: no result file {row} here; the repository has it")
            continue
        found = json.loads(path.read_text("utf-8"))
        m, name = found["metrics"], found["command"].removeprefix("lstm-recipes lab run ")
        said = f"{m['succeeded']} of {m['seeds']} networks"
        if m["succeeded"]:
            said += f", after {m['mean_sequences']:,} sequences"
        print(f"{what}, {name}: {said} ({found['date']})")


def bits(metrics: dict) -> float:
    return metrics["bits_per_character"]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


draw = np.random.default_rng(0)
x = draw.normal(size=(2, 12, 3)).astype("float32")  # two sequences of twelve steps
keras.utils.set_random_seed(0)

# %% [markdown]
# ## 1990: a network that reads in order
#
# Elman feeds a layer's last output back into it:
#
# $$h_t = \tanh(W x_t + U h_{t-1} + b)$$
#
# With it, time is not one more axis of the input: the network has a state, and a sequence may be as
# long as it likes. In principle it remembers anything.

# %%
layer = keras.layers.SimpleRNN(5)
said = np.asarray(layer(x))
W, U, b = layer.get_weights()
h = np.zeros((2, 5))
for t in range(12):
    h = np.tanh(x[:, t] @ W + h @ U + b)
np.testing.assert_allclose(said, h, atol=1e-5)
print("by hand and the layer: the same")
learnt("the order of two symbols far apart", "lab-elman/temporal-order-4-0.json")

# %% [markdown]
# ## 1997: the carousel
#
# What it remembers it must learn to remember, from an error that comes back through
# $\operatorname{diag}(1 - h_t^2)\, U$ at every step and vanishes (Hochreiter 1991). Hochreiter &
# Schmidhuber give it a cell that is connected to itself by exactly 1, between an input and an output
# gate:
#
# $$c_t = 1.0 \cdot c_{t-1} + i_t \odot g(\cdot), \qquad h_t = o_t \odot h(c_t), \qquad
# \frac{\partial c_t}{\partial c_{t-1}} = 1$$
#
# *Repaired:* lags. The notebook *A thousand steps* (`long_lag`) is that story alone.

# %%
layer = CECLSTM(5)
said = np.asarray(layer(x))
W, U, b = layer.get_weights()
h, c = np.zeros((2, 5)), np.zeros((2, 5))
for t in range(12):
    i, g, o = np.split(x[:, t] @ W + h @ U + b, 3, axis=1)
    c = 1.0 * c + sigmoid(i) * 2 * np.tanh(g / 2)
    h = sigmoid(o) * np.tanh(c / 2)
np.testing.assert_allclose(said, h, atol=1e-5)

LAG = 100 if FAST else 1_000
long = draw.normal(size=(2, LAG, 3)).astype("float32")
old = gradient_flow(keras.layers.SimpleRNN(16, return_state=True), long, [LAG]).max()
cec = CECLSTM(16, truncated_gradient=True, return_state=True)
new = gradient_flow(cec, long, [LAG])
print(f"left of an error after {LAG:,} steps: Elman {old:.1e}, CEC {new.min():.4f}")
np.testing.assert_allclose(new, 1.0, rtol=1e-4)
assert old < 1e-6
learnt("the order of two symbols far apart (1997: 31,390)", "lab/temporal-order-4-0.json")
thousand = ["lab/long-lag-1000-0.json", "lab/long-lag-1000-no-feedback-0.json"]
learnt("a symbol over a thousand steps (1997, fed back: 49,000)", *thousand)

# %% [markdown]
# ## 2000: learning to let go
#
# Then it cannot forget. In a stream without an end the cell only grows, until its squashing function
# is flat. Gers, Schmidhuber & Cummins put a gate in place of the 1:
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot g(\cdot)$$
#
# *Repaired:* streams. We let both run over a stream whose input says the same again and again,
# untrained, and look at the cells.

# %% alt="Size of the cell state over a stream: of 1997 rising into the thousands, of 2000 level below 1"
stream = np.ones((1, 200 if FAST else 2_000, 3), "float32")
sizes = {}
slopes = {  # of what the cell shows, tanh(c / 2) in 1997 and tanh(c) today
    CECLSTM: lambda c: 0.5 * (1 - np.tanh(c / 2) ** 2),
    ForgetGateLSTM: lambda c: 1 - np.tanh(c) ** 2,
}
for layer_class, slope in slopes.items():
    keras.utils.set_random_seed(0)
    c = trace(layer_class(8), stream)["c"][0]
    sizes[layer_class.__name__] = abs(c).max(axis=1)
    print(f"{layer_class.__name__:15} largest cell at the end: {abs(c[-1]).max():8.2f}", end=", ")
    print(f"where what it shows has the slope {slope(abs(c[-1]).max()):.1e}")
assert sizes["CECLSTM"][-1] > 10 * sizes["ForgetGateLSTM"][-1]

figure, axes = plt.subplots()
for (name, size), color in zip(sizes.items(), (ORANGE, BLUE), strict=True):
    axes.plot(np.arange(1, len(size) + 1), size, color=color, label=name)
axes.set(xlabel="step of the stream", ylabel="largest |c|", yscale="log")
axes.legend()
plt.show()
streams = ["lab/continual-reber-1997-0.json", "lab/continual-reber-0.json"]
learnt("strings without marked ends", *streams)
for name in ("cec", "forget"):
    measured(f"bits per character, {name}, 1,000 steps", f"char-rnn/layer-{name}-*.json", bits, 3)

# %% [markdown]
# ## 2000: seeing the cell
#
# A gate sees the cell only as far as the output gate shows it. Shut, it shows nothing, and nothing
# can be counted. Gers & Schmidhuber let the gates look at the cell itself, by one weight a cell:
#
# $$f_t = \sigma(W_f x_t + U_f h_{t-1} + p_f \odot c_{t-1} + b_f)$$
#
# *Repaired:* timing. We shut the output gate, and ask whether the forget gate can know how full the
# cell is.

# %%
full = draw.uniform(0, 2, (1, 4)).astype("float32")
nothing = np.zeros((1, 1, 3), "float32")
gates = {}
for layer_class in (ForgetGateLSTM, PeepholeLSTM):
    options = {"output_bias_initializer": keras.initializers.Constant(-100.0)}
    if layer_class is PeepholeLSTM:
        options["peephole_initializer"] = "ones"
    layer = layer_class(4, **options)
    gates[layer_class.__name__] = [
        trace(layer, nothing, [np.zeros((1, 4), "float32"), c])["f"][0, 0] for c in (0 * full, full)
    ]
for name, (empty, filled) in gates.items():
    print(f"{name:15} forget gates, cells empty {empty.round(3)}, full {filled.round(3)}")
assert (gates["ForgetGateLSTM"][0] == gates["ForgetGateLSTM"][1]).all()
np.testing.assert_allclose(gates["PeepholeLSTM"][1], sigmoid(1 + full[0]), rtol=1e-5)
for shape in ("rectangle", "cosine"):
    rows = (f"lab/periodic-{shape}-10{cell}-0.json" for cell in ("", "-peepholes"))
    learnt(f"a {shape} of ten steps", *rows)
measured("bits per character, peepholes", "char-rnn/layer-peephole-*.json", bits, 3)

# %% [markdown]
# ## 1997 and 2005: both directions
#
# What a word is often shows in what comes after it. Two layers, one from each end, see both
# (Schuster & Paliwal 1997; with LSTMs Graves & Schmidhuber 2005):
#
# $$y_t = [\overrightarrow{h}_t ; \overleftarrow{h}_t]$$
#
# *Repaired:* looking ahead. We change the last step of a sequence, and see which outputs notice.

# %%
changed = x.copy()
changed[:, -1] += 1.0
for name, layer in {
    "one direction": ForgetGateLSTM(4, return_sequences=True),
    "both": keras.layers.Bidirectional(ForgetGateLSTM(4, return_sequences=True)),
}.items():
    notice = (np.asarray(layer(x)) != np.asarray(layer(changed))).any(axis=(0, 2))
    print(f"{name:14} {notice.sum():2} of {len(notice)} steps know of the last")
    assert notice.sum() == (1 if name == "one direction" else 12)
measured("entity F1 of the bidirectional tagger", "ner/glove-?.json", lambda m: m["f1"])

# %% [markdown]
# ## 2014: fewer gates
#
# Cho et al. make a cell of two gates and one state. What is kept and what is let in add up to 1:
#
# $$h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t$$
#
# *Repaired:* cost. Three products a step in place of four, and one state in place of two.

# %%
weights = {}
for layer in (ForgetGateLSTM(256), GRU(256)):
    layer.build((None, None, 64))
    weights[type(layer).__name__] = layer.count_params()
    print(f"{type(layer).__name__:15} {weights[type(layer).__name__]:,} weights")
print(f"GRU / LSTM: {weights['GRU'] / weights['ForgetGateLSTM']:.3f}")
assert abs(weights["GRU"] / weights["ForgetGateLSTM"] - 0.75) < 0.01

seen = trace(GRU(5), x)
h = np.concatenate([np.zeros((2, 1, 5)), seen["h"][:, :-1]], axis=1)
np.testing.assert_allclose(seen["h"], seen["z"] * h + (1 - seen["z"]) * seen["g"], atol=1e-6)
measured("bits per character, GRU, 1,000 steps", "char-rnn/layer-gru-*.json", bits, 3)
measured(
    "characters a second in training, GRU",
    "char-rnn/layer-gru-*.json",
    lambda m: m["characters_per_second"],
    0,
)
measured(
    "characters a second in training, LSTM",
    "char-rnn/layer-forget-*.json",
    lambda m: m["characters_per_second"],
    0,
)

# %% [markdown]
# ## 2014: one vector
#
# Sutskever, Vinyals & Le let one LSTM read a sentence and another say it in another language, from
# the first one's last state:
#
# $$s_0 = \operatorname{encoder}(x_1 \dots x_S), \qquad
# h_t, s_t = \operatorname{decoder}(y_{t-1}, s_{t-1})$$
#
# *Repaired:* lengths. What comes out may be longer or shorter than what went in. And all of it goes
# through as many numbers, whatever its length.

# %%
plain = made(20, 20, attention="none", units=16, embedding=8, bidirectional=False)
for length in (2, 200):
    encoded = plain.encode(draw.integers(4, 20, [1, length], "int32"))
    floats = sum(int(tf.size(part)) for part in tf.nest.flatten(plain.start(encoded)))
    print(f"of {length:3} tokens the decoder gets {floats} numbers")
    assert floats == 32 and plain.memory(encoded) == ()
ablation = "BLEU, Multi30k English to German, 256 units, beam 2 (lower case, tokenised)"
for row in ("none", "bahdanau"):
    pattern, about = f"translate-attention/{row}-0.json", f"attention: {row}"
    measured(f"{ablation}, {about}", pattern, lambda m: m["bleu_by_beam"]["2"])

# %% [markdown]
# ## 2014: looking back
#
# Bahdanau, Cho & Bengio keep all that the encoder said, and the decoder asks it before each word:
#
# $$e_j = v^\top \tanh(W h_{t-1} + U m_j), \quad \alpha = \operatorname{softmax}(e), \quad
# c_t = \sum_j \alpha_j m_j$$
#
# *Repaired:* the bottleneck. The way from a source word to the target is one step, however far it
# stands. We measure how the answer depends on each place of a memory of 50: through the attention,
# and through the last state of an LSTM that read it.

# %% alt="Influence of a place in the source: through attention about level over all 50, through the last state of an LSTM falling by many orders of magnitude towards the beginning"
memory = tf.constant(draw.normal(size=(1, 50, 8)).astype("float32"))
query = tf.constant(draw.normal(size=(1, 8)).astype("float32"))
asked, reader = BahdanauAttention(16), ForgetGateLSTM(8)
influence = {}
for name, answer in {
    "attention": lambda m: asked(query, m)[0],
    "the last state": lambda m: reader(m),
}.items():
    with tf.GradientTape() as tape:
        tape.watch(memory)
        total = tf.reduce_sum(answer(memory))
    influence[name] = np.linalg.norm(tape.gradient(total, memory)[0], axis=1)
    first, last = influence[name][[0, -1]]
    print(f"{name:15} first place {first:.1e}, last place {last:.1e}: {first / last:.1e}")
context, weights = asked(query, memory)
np.testing.assert_allclose(context, np.einsum("bj,bjd->bd", weights, memory), atol=1e-5)
assert influence["the last state"][0] < 1e-2 * influence["attention"][0]

figure, axes = plt.subplots()
for (name, values), color, mark in zip(influence.items(), (BLUE, ORANGE), "os", strict=True):
    axes.plot(range(1, 51), values, color=color, marker=mark, ms=3, label=f"through {name}")
axes.set(xlabel="place in the source", ylabel="influence on the answer", yscale="log")
axes.legend(loc="lower right")
plt.show()
measured(
    "BLEU, Multi30k German to English, with attention (lower case, tokenised)",
    "translate/multi30k-de-en-0.json",
    lambda m: m["bleu_of_lower_case_tokens"],
)

# %% [markdown]
# ## 2016: deep
#
# Stacks of eight layers learn badly. Down a stack the error vanishes as it does over time, and Wu et
# al. (GNMT) cure it as 1997 did, by a connection of 1, this time from layer to layer:
#
# $$x_t^{k+1} = h_t^k + x_t^k$$
#
# *Repaired:* depth. What is left of the gradient at the lowest layer of eight, untrained:

# %%
DEPTH = 8
left = {}
for name, wrap in {"plain": lambda layer: layer, "residual": Residual}.items():
    keras.utils.set_random_seed(0)
    stack = [wrap(ForgetGateLSTM(16, return_sequences=True)) for _ in range(DEPTH)]
    bottom = tf.constant(draw.normal(size=(4, 10, 16)).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(bottom)
        top = bottom
        for layer in stack:
            top = layer(top)
        total = tf.reduce_sum(top)
    left[name] = float(tf.norm(tape.gradient(total, bottom)))
    print(f"{name:9} {left[name]:.2e}")
assert left["residual"] > 100 * left["plain"]
for row in ("2-plain", "4-plain", "4-residual", "8-plain", "8-residual"):
    pattern = f"translate-depth/{row}-0.json"
    measured(f"{ablation}, layers: {row}", pattern, lambda m: m["bleu_by_beam"]["2"])

# %% [markdown]
# ## 2017: what changed
#
# Vaswani et al. leave the recurrence out and keep the attention. A layer of recurrence needs as many
# steps in a row as the sequence has, $O(n)$; self-attention makes all $n^2$ scores at once, in
# $O(1)$ steps:
#
# $$h_t = f(x_t, h_{t-1}) \qquad \text{against} \qquad
# H = \operatorname{softmax}\!\bigl(Q K^\top / \sqrt d\bigr)\, V$$
#
# *Repaired:* waiting. On a machine that multiplies everything at once, the steps in a row are what
# one waits for. *Paid:* what must be kept. The state of an LSTM has one size after any number of
# steps; the scores grow with the square of the length, and while it writes, the keys and values with
# the length. Here is one layer of each, of the same width, as the sequence grows: the time of a
# forward pass, and the numbers that must be there at once.

# %% alt="Left: milliseconds against length for an LSTM and for self-attention, both rising. Right: numbers kept against length, of the LSTM's state level, of keys and values rising, of the scores rising as the square."
WIDTH, HEADS = 64, 1
lengths = [32, 64, 128] if FAST else [64, 128, 256, 512, 1024, 2048]
lstm = ForgetGateLSTM(WIDTH, return_sequences=True)
attention = keras.layers.MultiHeadAttention(HEADS, WIDTH)
calls = {
    "LSTM": tf.function(lambda x: lstm(x)),
    "self-attention": tf.function(lambda x: attention(x, x)),
}
inputs = {n: tf.constant(draw.normal(size=(1, n, WIDTH)).astype("float32")) for n in lengths}
medians = {name: [] for name in calls}
for n in lengths:  # in turns, so that a busy machine is busy for both
    turns = {name: partial(call, inputs[n]) for name, call in calls.items()}
    for name, (_, median, _) in in_turns(turns, least=0.02).items():
        medians[name].append(1000 * median)
kept = {
    "state of the LSTM, h and c": [2 * WIDTH for _ in lengths],
    "keys and values": [2 * WIDTH * n for n in lengths],
    "all scores at once": [HEADS * n * n for n in lengths],
}
print(f"{'length':>8} {'in a row':>9} {'LSTM ms':>9} {'attention ms':>13} {'scores':>10}")
for k, n in enumerate(lengths):
    milliseconds = [medians[name][k] for name in ("LSTM", "self-attention")]
    print(f"{n:8} {n:5} / 1 {milliseconds[0]:10.2f} {milliseconds[1]:12.2f}", end="")
    print(f" {kept['all scores at once'][k]:11,}")
assert kept["all scores at once"][-1] > kept["state of the LSTM, h and c"][-1]

figure, (one, two) = plt.subplots(1, 2, figsize=(7, 3.2))
for (name, values), color, mark in zip(medians.items(), (BLUE, ORANGE), "os", strict=True):
    one.plot(lengths, values, color=color, marker=mark, ms=4, label=name)
for (name, values), color, mark in zip(kept.items(), (BLUE, GREEN, ORANGE), "o^s", strict=True):
    two.plot(lengths, values, color=color, marker=mark, ms=4, label=name)
for axes in (one, two):
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel="length")
    axes.legend(fontsize=8, loc="upper left")
one.set(title="milliseconds, one sequence")
two.set(title="numbers kept", ylim=(50, 3e8))
plt.show()

# %% [markdown]
# So the answer depends on where one stands. Training on a large machine, the steps in a row decide,
# and the recurrence lost. One step after another on a small one, as when a model writes or listens,
# there is nothing to do at once, and what counts is how much must be read for one more step:

# %%
seconds = "microseconds"
for row in ("Keras", "onnxruntime", "LiteRT, int8"):
    measured(
        f"one step of an LSTM of 2.5 million weights, {row}, {seconds}",
        "export/step-0.json",
        lambda metrics, row=row: metrics[row][seconds],
        1,
    )

# %% [markdown]
# ## What to try next
#
# - Put the other layers of this page into the last measurement, and a batch of 64. Where do the two
#   curves of time cross on your machine?
# - Train the tagger with one direction, and see what F1 the future is worth.
# - `lstm-recipes lab list` names what of all this can be re-run, with the papers' own rules.
