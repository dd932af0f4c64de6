# %% [markdown]
# # A network that learns to write, one character at a time
#
# A character model reads a text. After each character it says how likely every next one is.
# That is all it learns, and it is enough to make it write: draw a character from what it says,
# let it read that character, and draw again.
#
# Here we look at the data, write the recurrent cell once by hand, train a model with the
# package's own parts, let it write, and look inside it while it reads. Every claim on this page
# is checked: the code asserts it, or prints the number that it measured.
#
# **Time:** about six minutes on two cores, five of them training. With
# `LSTM_RECIPES_FAST=1` in the environment it takes under a minute: a tiny model on a made-up
# play, which tests the page and teaches little.

# %%
import os
import warnings

from lstm_recipes.quiet import load_tensorflow

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
load_tensorflow()  # leaves out what it says of itself while it starts
warnings.filterwarnings("ignore", "IProgress not found")  # tqdm would like ipywidgets

# %%
import csv
import math
import random
import re
from dataclasses import replace
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from matplotlib.colors import ListedColormap

from lstm_recipes.data import Streams, Vocabulary, split
from lstm_recipes.decoding import make_sampler
from lstm_recipes.decoding.write import write_texts
from lstm_recipes.layers import CECLSTM, ForgetGateLSTM
from lstm_recipes.models.char_lm import char_lm, initial_state
from lstm_recipes.recipes.char_rnn import PRESETS, load, train
from lstm_recipes.training.language_model import CharacterLoss
from lstm_recipes.training.trained import TrainedCharLM

FAST = os.environ.get("LSTM_RECIPES_FAST") == "1"
RUN = Path("runs/notebook-fast" if FAST else "runs/notebook")  # the trained model goes here

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#666666"
plt.rcParams.update(
    {
        "figure.figsize": (7, 3),
        "figure.dpi": 120,
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 10,
    }
)

# %% [markdown]
# ## The text
#
# Tiny Shakespeare is 40,000 lines from the plays. It is in the public domain. The first use
# downloads it (1.1 MB), and later ones find it on disk.


# %%
def made_up_play(length: int) -> str:
    """A play in the same form, for fast mode, which downloads nothing."""
    draw, text = random.Random(0), ""
    words = ["the", "king", "my", "lord", "thou", "art", "so", "fair", "and", "yet", "not", "love"]
    while len(text) < length:
        lines = [" ".join(draw.choices(words, k=draw.randint(3, 9))) for _ in range(3)]
        speech = "".join(line.capitalize() + draw.choice(",.;?!") + "\n" for line in lines)
        text += draw.choice(["ROMEO", "JULIET", "FIRST CITIZEN"]) + f":\n{speech}\n"
    return text


text_file = None  # no file of our own: tiny Shakespeare
if FAST:
    RUN.parent.mkdir(parents=True, exist_ok=True)
    text_file = RUN.parent / "made-up-play.txt"
    text_file.write_text(made_up_play(40_000), "utf-8")

name, text = load(text_file)
vocabulary = Vocabulary.of(text)
train_text, validation_text = split(text)
train_ids, validation_ids = vocabulary.encode(train_text), vocabulary.encode(validation_text)

print(text[:220])
print(f"{name}: {len(text):,} characters, {len(vocabulary)} different ones:")
print(repr("".join(vocabulary.characters)))
print(f"first 90 %, to train on:     {len(train_ids):,} characters")
print(f"the rest, to be judged by:   {len(validation_ids):,} characters")
assert train_text + validation_text == text
assert FAST or (len(text), len(vocabulary)) == (1_115_394, 65)

# %% [markdown]
# Some characters are far more common than others. A model that knew only this picture would
# already do better than one that knew nothing. How much better, we work out below.

# %% alt="Bars of each character's share of the text: the space first, then e, t, o, and a long tail"
counts = np.bincount(train_ids, minlength=len(vocabulary))
order = np.argsort(-counts)
labels = [{"\n": "↵", " ": "␣"}.get(c, c) for c in np.array(vocabulary.characters)[order]]

figure, axes = plt.subplots()
axes.bar(range(len(order)), 100 * counts[order] / counts.sum(), color=BLUE)
axes.set_xticks(range(len(order)), labels, family="monospace", fontsize=8)
axes.tick_params(axis="x", length=0)
axes.set(xlabel="character (␣ a space, ↵ a line's end)", ylabel="share of the text (%)")
axes.set_xlim(-1, len(order))
plt.show()

# %% [markdown]
# ## How the text is read
#
# The text is cut into streams that are read side by side. A window holds the next few
# characters of every stream, and one window is one training step. A row goes on exactly where
# the row of the window before ended. So the state $(h, c)$ that the network had there is a
# true summary of what came before, and the row starts from it:
#
# $$(h_0, c_0)_{\text{window } k+1} = (h_T, c_T)_{\text{window } k}$$
#
# The gradient ends at the window's start, which keeps the cost of a step fixed. The state does
# not. This is truncated backpropagation through time. Below are three windows of four streams.


# %% alt="Four streams of text, one a row, cut into three windows of twenty characters that go on where the last one ended"
def draw_characters(axes, rows: list[str], values: list, cmap, low: float, high: float):
    """Write each character of each row on a field coloured by its value."""
    field = np.full((len(rows), max(map(len, rows))), np.nan)
    for y, (row, row_values) in enumerate(zip(rows, values, strict=True)):
        field[y, : len(row)] = row_values
        for x, character in enumerate(row):
            # White on the darkest colours, black on the others.
            dark = np.dot(cmap((row_values[x] - low) / (high - low))[:3], [0.3, 0.6, 0.1]) < 0.5
            axes.text(
                x,
                y,
                {"\n": "↵", " ": " "}.get(character, character),
                color="white" if dark else "black",
                ha="center",
                va="center_baseline",
                family="monospace",
                fontsize=8,
            )
    image = axes.imshow(field, cmap=cmap, vmin=low, vmax=high, aspect="auto")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return image


few = Streams(train_ids, batch_size=4, time=20)
windows = [few.window(step)[0] for step in range(3)]
rows = [vocabulary.decode(row) for row in np.concatenate(windows, axis=1)]

figure, axes = plt.subplots(figsize=(7, 1.6))
parity = [np.repeat([0, 1, 0], few.time)] * len(rows)
draw_characters(axes, rows, parity, ListedColormap(["#cfe3f1", "#fbe0c8"]), 0, 1)
axes.set_yticks(range(4), [f"stream {k + 1}" for k in range(4)])
axes.set_xticks([9.5, 29.5, 49.5], ["window 1", "window 2", "window 3"])
axes.tick_params(length=0)
plt.show()

assert train_text.startswith(rows[0])  # the first stream is the text's beginning
assert all(row in train_text for row in rows)  # and no row has a gap

# %% [markdown]
# ## The cell, once by hand
#
# Each unit of an LSTM has a cell state $c$ and three gates, numbers between 0 and 1. The input
# gate $i$ lets news in, the forget gate $f$ keeps or drops what was there, and the output gate
# $o$ shows it to the rest of the network. With $\sigma(x) = 1 / (1 + e^{-x})$, and $\odot$ for
# the product of each pair of elements:
#
# $$\begin{aligned}
# i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i) \\
# f_t &= \sigma(W_f x_t + U_f h_{t-1} + b_f) \\
# o_t &= \sigma(W_o x_t + U_o h_{t-1} + b_o) \\
# c_t &= f_t \odot c_{t-1} + i_t \odot \tanh(W_c x_t + U_c h_{t-1} + b_c) \\
# h_t &= o_t \odot \tanh(c_t)
# \end{aligned}$$
#
# In NumPy the four products are one, with the columns of $W$, $U$ and $b$ in the order
# $i, f, c, o$:


# %%
def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, h, c, W, U, b):
    z_i, z_f, z_c, z_o = np.split(x @ W + h @ U + b, 4, axis=-1)
    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)
    c = f * c + i * np.tanh(z_c)
    h = o * np.tanh(c)
    return h, c


# %% [markdown]
# The package's `ForgetGateLSTM` is the same function. We give both the same weights and the
# same 100 random inputs. They may differ by what float32 rounds off, and by no more.

# %%
keras.utils.set_random_seed(0)
layer = ForgetGateLSTM(16, return_sequences=True)
x = np.random.default_rng(0).normal(size=(3, 100, 8)).astype("float32")
from_layer = np.array(layer(x))

W, U, b = layer.get_weights()
h = c = np.zeros((3, 16), "float32")
by_hand = []
for t in range(100):
    h, c = lstm_step(x[:, t], h, c, W, U, b)
    by_hand.append(h)
by_hand = np.stack(by_hand, axis=1)

print(f"largest difference in {by_hand.size:,} outputs: {np.abs(by_hand - from_layer).max():.1e}")
np.testing.assert_allclose(by_hand, from_layer, rtol=0, atol=1e-6)

# %% [markdown]
# ## What was different in 1997
#
# The first LSTM had no forget gate. Its cell is connected to itself by exactly 1, and it
# squashes with $g(x) = 2\tanh(x/2)$ and $h(x) = \tanh(x/2)$:
#
# $$c_t = 1.0 \cdot c_{t-1} + i_t \odot g(W_c x_t + U_c h_{t-1} + b_c), \qquad
# h_t = o_t \odot h(c_t)$$
#
# So `CECLSTM` is a `ForgetGateLSTM` whose forget gates are held open. A bias of 100 does that:
# in float32 $\sigma(100 + \ldots)$ is exactly 1.

# %%
old = CECLSTM(16)
old_output = np.array(old(x))

held_open = ForgetGateLSTM(
    16,
    activation="cec_input",
    output_activation="cec_output",
    forget_bias_initializer=keras.initializers.Constant(100),
)
held_open(x)


def with_forget_columns(old, new):
    """The old weights [i, c, o], with the new layer's own columns for f among them."""
    (i, c, o), (_, f, _, _) = np.split(old, 3, axis=-1), np.split(new, 4, axis=-1)
    return np.concatenate([i, f, c, o], axis=-1)


pairs = zip(old.get_weights(), held_open.get_weights(), strict=True)
held_open.set_weights([with_forget_columns(a, b) for a, b in pairs])

print(f"largest difference in the outputs: {np.abs(held_open(x) - old_output).max():.1e}")
np.testing.assert_allclose(held_open(x), old_output, rtol=0, atol=1e-6)

# %% [markdown]
# Why exactly 1? Learning sends an error back through time. In a plain recurrent network it is
# multiplied by a matrix and a slope at every step, and so it dies out, or with larger weights
# explodes. Here it is multiplied by 1. The paper's learning rule, the truncated gradient, lets
# error go back along $c_t \to c_{t-1}$ alone:
#
# $$\frac{\partial c_t}{\partial c_{t-1}} = 1 \quad (1997), \qquad
# \frac{\partial c_t}{\partial c_{t-1}} = f_t \quad \text{(with a forget gate)}$$
#
# This is the constant error carousel. We put an error in at the last step of an untrained
# network, and look at what arrives at the first.

# %% alt="Error against steps back in time, both on logarithmic axes: level for the truncated gradient of 1997, growing for the full one, falling for a forget gate and a plain network"
lags = [1, 3, 10, 30, 100, 300, 1000]
error = np.random.default_rng(2).normal(size=(1, 16)).astype("float32")


def errors_going_back(layer_class, **options) -> np.ndarray:
    """What arrives at step 0 of an error put in at step lag, for every lag: [lags, units]."""
    keras.utils.set_random_seed(0)
    layer = layer_class(16, return_state=True, **options)
    inputs = np.random.default_rng(1).normal(size=(1, max(lags), 8)).astype("float32")

    @tf.function(input_signature=[tf.TensorSpec([1, None, 8])])
    def arrives(inputs):
        first_states = layer.get_initial_state(1)
        with tf.GradientTape() as tape:
            tape.watch(first_states)
            *_, last = layer(inputs, initial_state=first_states)  # of an LSTM's h and c, it is c
        return tape.gradient(last, first_states[-1], output_gradients=error)

    return np.concatenate([arrives(inputs[:, :lag]) for lag in lags])


carousel = errors_going_back(CECLSTM, truncated_gradient=True)
curves = [
    ("1997, full gradient", errors_going_back(CECLSTM), ORANGE, "s"),
    ("1997, truncated gradient", carousel, BLUE, "o"),
    ("2000, truncated", errors_going_back(ForgetGateLSTM, truncated_gradient=True), GREEN, "^"),
    ("plain recurrent network", errors_going_back(keras.layers.SimpleRNN), PURPLE, "D"),
]
assert np.array_equal(carousel, np.repeat(error, len(lags), axis=0))  # to the last bit

figure, axes = plt.subplots()
for what, arrived, color, marker in curves:
    share = np.linalg.norm(arrived, axis=1) / np.linalg.norm(error)
    print(f"{what:25} {share[-1]:.3g} of the error arrives {lags[-1]:,} steps before")
    axes.loglog(lags, np.maximum(share, 1e-12), color=color, marker=marker, label=what)
axes.set_ylim(1e-5, 1e3)
axes.set(xlabel="steps back in time", ylabel="size of the error,\nas a share of what was put in")
axes.legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# With the truncated gradient the error that comes out is what was put in, bit for bit. With the
# full gradient it also goes round through the gates, and does not stay what it was. A forget
# gate shrinks it, by design: a cell that reads an endless text must be able to let go. Untrained,
# it keeps no more than a plain network does. But it can learn to hold the gate open where
# something is worth keeping. The model below has forget gates and the full gradient, as is usual
# today.
#
# ## The model, and what it must beat
#
# A character becomes a vector of learned numbers, the LSTM reads it, and a softmax turns the
# hidden state into a probability for every character of the vocabulary. The loss is the mean
# surprise at the character $x_{t+1}$ that really comes next, in nats:
#
# $$p_t = \operatorname{softmax}(V h_t + a), \qquad
# L = -\frac{1}{N} \sum_{t=1}^{N} \ln p_t(x_{t+1})$$
#
# Divided by $\ln 2$ it is in bits. A model that has learned nothing gives every character the
# same chance, and its loss is the logarithm of how many there are.

# %%
numbers = replace(PRESETS["default"], layer="forget")  # the LSTM that we wrote above
if FAST:
    numbers = replace(
        numbers, units=48, embedding=16, dropout=0.0, batch_size=16, time=32, steps=250
    )
numbers = replace(numbers, validate_every=numbers.steps // 16)

untrained = char_lm(len(vocabulary), units=numbers.units, embedding=numbers.embedding)
first_loss = CharacterLoss(untrained)(validation_ids[:2001])
print(f"{untrained.count_params():,} weights")
print(f"before training, on 2,000 characters: {first_loss:.3f} nats per character")
print(f"knowing nothing, ln {len(vocabulary)}:              {math.log(len(vocabulary)):.3f}")
assert abs(first_loss - math.log(len(vocabulary))) < 0.1

# %% [markdown]
# The model takes its state as an input and gives it back. Reading a text in two parts, with the
# state carried, is therefore the same as reading it in one:


# %%
def read(model: keras.Model, ids: np.ndarray, state: list | None = None) -> tuple:
    """The logits after each of n characters, [n, vocabulary], and the state after the last."""
    state = initial_state(model, 1) if state is None else state
    logits, *state = model([tf.constant(ids[None]), *state])
    return np.array(logits[0]), state


ids = validation_ids[:100]
whole, _ = read(untrained, ids)
_, state = read(untrained, ids[:50])
with_state, _ = read(untrained, ids[50:], state)
without_state, _ = read(untrained, ids[50:])

carried = np.abs(with_state - whole[50:]).max()
forgotten = np.abs(without_state - whole[50:]).max()
print(f"the second part's logits differ by {carried:.1e} with the state carried,")
print(f"and by {forgotten:.1e} from the zero state")
assert carried < 1e-5 < forgotten

# %% [markdown]
# Two simple models show what counting alone can do. One knows how common each character is
# (unigrams). The other knows how common it is after the one before (bigrams). Both count the
# training text, starting every count from one so that nothing is impossible, and both are
# judged by the validation text:
#
# $$p(b) = \frac{n_b + 1}{\sum_x (n_x + 1)}, \qquad
# p(b \mid a) = \frac{n_{ab} + 1}{\sum_x (n_{ax} + 1)}$$

# %%
before, after = validation_ids[:-1], validation_ids[1:]

unigram = np.bincount(train_ids, minlength=len(vocabulary)) + 1.0
unigram /= unigram.sum()
bigram = np.ones((len(vocabulary), len(vocabulary)))
np.add.at(bigram, (train_ids[:-1], train_ids[1:]), 1)
bigram /= bigram.sum(axis=1, keepdims=True)

baselines = {
    "any character": math.log(len(vocabulary)),
    "unigrams": -np.log(unigram[after]).mean(),
    "bigrams": -np.log(bigram[before, after]).mean(),
}
for what, nats in baselines.items():
    print(f"{what:14} {nats:.3f} nats = {nats / math.log(2):.3f} bits per character")
assert baselines["bigrams"] < baselines["unigrams"] < baselines["any character"]

# %% [markdown]
# ## Training
#
# The recipe `recipes/char_rnn.py` holds the numbers, each with its reason. One call trains:
# windows of all streams, AdamW, a learning rate that warms up and then falls along a cosine,
# and a folder that keeps everything. The losses it tells on the way are quick estimates on the
# validation text. The last one measures all of it, once, in order, with the state carried.

# %%
print(numbers)
metrics = train(numbers, run=RUN, text=text_file, overwrite=True)
metrics

# %% alt="Training and validation loss falling below the four baselines, which are dotted lines"
model_nats = metrics["nats_per_character"]
print("validation text               nats    bits   as unsure as a choice among")
for what, nats in {**baselines, "the model": model_nats}.items():
    print(f"{what:28} {nats:5.3f}   {nats / math.log(2):5.3f}   {math.exp(nats):4.1f} characters")
assert model_nats < baselines["any character" if FAST else "bigrams"]

with (RUN / "log.csv").open() as file:
    log = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
steps = [row["step"] for row in log]

figure, axes = plt.subplots(figsize=(7, 3.5))
axes.plot(steps, [row["train_loss"] for row in log], color=BLUE, marker="o", markersize=3)
axes.plot(steps, [row["validation_loss"] for row in log], color=ORANGE, marker="s", markersize=3)
axes.legend(["training", "validation (quick estimate)"], frameon=False, loc=(0.45, 0.42))
for what, nats in baselines.items():
    axes.axhline(nats, color=GREY, linewidth=1, linestyle=":")
    axes.text(steps[-1], nats + 0.04, what, color=GREY, ha="right", va="bottom")
axes.set_ylim(min(row["validation_loss"] for row in log) - 0.2, baselines["any character"] + 0.4)
axes.set(xlabel="training step", ylabel="loss (nats per character)")
plt.show()

# %% [markdown]
# Where the training loss is the higher one, that is no mistake: while it trains, part of the
# network is dropped out, and each point is a mean over the steps before it. The validation loss
# uses the whole network as it is then. Where the training loss is the lower one, the model has
# begun to know that text better than others.
#
# ## Temperature
#
# To write, we draw from what the model says. A temperature $\tau$ divides its logits $z$ first:
#
# $$p_i(\tau) = \frac{e^{z_i / \tau}}{\sum_j e^{z_j / \tau}}, \qquad
# H(p) = -\sum_i p_i \ln p_i$$
#
# The entropy $H$ says how open the choice is. Towards $\tau = 0$ the likeliest character always
# wins, and $H$ is 0. For a large $\tau$ all are equally likely, and $H$ is the logarithm of
# their number. In between it can only rise. We measure it on a piece of the validation text,
# and beside it the loss $L$ on that piece: how well the changed model predicts. The two meet
# where the loss is lowest, because with $\beta = 1 / \tau$
#
# $$L - H = \beta \, \frac{\partial L}{\partial \beta}$$

# %% alt="Entropy rising with temperature, and the loss on real text with its lowest point near temperature 1"
trained = TrainedCharLM(RUN)
model = trained.model
piece = validation_ids[:2001]
logits, _ = read(model, piece[:-1])


def log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


temperatures = np.arange(1, 61) / 20
entropies, losses = [], []
for temperature in temperatures:
    log_p = log_softmax(logits / temperature)
    entropies.append(-(np.exp(log_p) * log_p).sum(axis=-1).mean())
    losses.append(-log_p[np.arange(len(log_p)), piece[1:]].mean())
entropies, losses = np.array(entropies), np.array(losses)

one = list(temperatures).index(1.0)
print(f"temperature 1: entropy {entropies[one]:.3f}, loss {losses[one]:.3f} nats per character")
print(f"the loss is lowest at temperature {temperatures[losses.argmin()]:.2f}")
assert (np.diff(entropies) > 0).all() and entropies[-1] < math.log(len(vocabulary))
assert abs(losses.argmin() - np.abs(losses - entropies).argmin()) <= 1

figure, axes = plt.subplots()
axes.axhline(math.log(len(vocabulary)), color=GREY, linewidth=1, linestyle=":")
axes.text(3, math.log(len(vocabulary)) + 0.05, "all equally likely", color=GREY, ha="right")
axes.plot(temperatures, entropies, color=BLUE, label="entropy of what the model says")
axes.plot(temperatures, losses, color=ORANGE, linestyle="--", label="loss on the real text")
axes.set(xlabel="temperature", ylabel="nats per character", xlim=(0, 3))
axes.set_ylim(0, math.log(len(vocabulary)) + 0.5)
axes.legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# Where the curves meet tells whether the model knows its own doubt. A model that is too sure of
# itself has them meet above temperature 1, one that is not sure enough below. For writing, a
# little colder than 1 often reads better:

# %%
prompt = trained.encode_prompt("ROMEO:\n", drop_unknown=False)
for temperature in (0.2, 0.8, 1.2):
    print(f"=== temperature {temperature} ===")
    write_texts(model, vocabulary, prompt, 300, make_sampler(temperature, seed=1))
    print()

# %% [markdown]
# ## What the cell states follow
#
# Nobody told the model what a line is, or a speaker. Does it keep track of them? We let it read
# a piece of the validation text, which it has never seen, and write down all its cell states
# $c_t$ after each character. A cell serves alone for that: `cell(x_t, states)`.

# %%
[embedding] = [a for a in model.layers if isinstance(a, keras.layers.Embedding)]
[recurrent] = [a for a in model.layers if isinstance(a, keras.layers.RNN)]
step = tf.function(recurrent.cell)  # compiled once; the numbers are the same

passage = validation_text[: 2_000 if FAST else 20_000]
ids = vocabulary.encode(passage)
states = recurrent.cell.get_initial_state(1)
trace = []
for x_t in np.array(embedding(ids)):
    _, states = step(x_t[None], states)
    trace.append(states[1][0])
trace = np.array(trace)  # [characters, units]
print(f"{trace.shape[1]} cell states after each of {trace.shape[0]:,} characters")

_, (h, c) = read(model, ids[:500])  # the whole model agrees
np.testing.assert_allclose(trace[499], c[0], rtol=0, atol=1e-4)

# %% [markdown]
# Some things about a place in a text can be counted. We correlate each of them with every unit,
#
# $$r = \frac{\sum_t (c_t - \bar c)(y_t - \bar y)}
# {\sqrt{\sum_t (c_t - \bar c)^2 \sum_t (y_t - \bar y)^2}}$$
#
# and take the unit with the largest $|r|$. To take the best of many is to take luck along with
# it, so we choose on the first half of the piece and report the second. The last row shows what
# luck alone gives: the same search for a position in the line that belongs to another place.


# %%
def since(pattern: str) -> np.ndarray:
    """How many characters ago the pattern last ended, after each character of the passage."""
    ends = {match.end() - 1 for match in re.finditer(pattern, passage)}
    ages, age = [], 0
    for place in range(len(passage)):
        age = 0 if place in ends else age + 1
        ages.append(age)
    return np.array(ages, float)


def inside(pattern: str) -> np.ndarray:
    """1 at the characters that the pattern matches, 0 at the others."""
    marks = np.zeros(len(passage))
    for match in re.finditer(pattern, passage):
        marks[match.start() : match.end()] = 1
    return marks


def correlations(cells: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Pearson's r of each column of cells with what is wanted."""
    cells, wanted = cells - cells.mean(axis=0), wanted - wanted.mean()
    scale = np.sqrt((cells**2).sum(axis=0) * (wanted**2).sum())
    return cells.T @ wanted / np.maximum(scale, 1e-12)


SPEAKER = r"(?m)^[A-Z][A-Za-z' ]*:$"  # a line of its own that ends in a colon
places = {
    "position in the line": since(r"\n"),
    "position in the word": since(r"\s"),
    "position in the speech": since(r"\n\n"),
    "inside a speaker's name": inside(SPEAKER),
    "luck": np.roll(since(r"\n"), len(passage) // 4),
}
half = len(passage) // 2
found = {}
print("                           unit   r, first half   r, second half")
for what, wanted in places.items():
    first = correlations(trace[:half], wanted[:half])
    unit = int(np.abs(first).argmax())
    second = correlations(trace[half:], wanted[half:])[unit]
    found[what] = unit, second
    print(f"{what:26} {unit:4}   {first[unit]:13.2f}   {second:14.2f}")

print(f"so the unit shown below is number {found['position in the line'][0]}")
assert FAST or abs(found["luck"][1]) < 0.3 < 0.5 < abs(found["position in the line"][1])

# %% [markdown]
# Here is the state of the unit that follows the position in the line, over lines from the
# second half. Each field is the state after the network has read that character. Compare the
# start of a line with its end, and the speakers' names with the other lines.

# %% alt="Lines of the play, each character on a field coloured by the cell state of one unit"
unit, r = found["position in the line"]
start = passage.index("\n\n", half) + 2  # the first whole speech of the second half
rows = passage[start:].splitlines(keepends=True)[:12]
ends = start + np.cumsum([len(row) for row in rows])
states_of_rows = np.split(trace[start : ends[-1], unit], ends[:-1] - start)
low, high = np.quantile(trace[half:, unit], [0.01, 0.99])

figure, axes = plt.subplots(figsize=(7, 3.2))
image = draw_characters(axes, rows, states_of_rows, plt.get_cmap("viridis"), low, high)
figure.colorbar(image, label=f"cell state of unit {unit}", pad=0.02)
plt.show()

# %% alt="The unit's cell state against the characters since the line began: the median, and a band of the middle 80 %"
position, cells = places["position in the line"][half:], trace[half:, unit]
common = [p for p in range(60) if (position == p).sum() >= 20]
tenth, middle, ninetieth = np.transpose(
    [np.quantile(cells[position == p], [0.1, 0.5, 0.9]) for p in common]
)

figure, axes = plt.subplots()
axes.fill_between(common, tenth, ninetieth, color=BLUE, alpha=0.25, linewidth=0)
axes.plot(common, middle, color=BLUE)
axes.set(xlabel="characters since the line began", ylabel=f"cell state of unit {unit}")
axes.set_title(f"second half: r = {r:.2f} (median, and the middle 80 %)", fontsize=10)
plt.show()

# %% [markdown]
# A correlation says that the unit and the position go together. It does not say that the unit
# does nothing else, or that the network needs it. The last exercise below asks that.
#
# ## What to try next
#
# The run folder holds the trained model, so the command line goes on from here:
#
# ```console
# $ lstm-recipes char-rnn sample runs/notebook --prompt "JULIET:" --temperature 0.6
# $ lstm-recipes char-rnn evaluate runs/notebook
# $ lstm-recipes char-rnn train --text mine.txt --run runs/mine        # a text of your own
# $ lstm-recipes char-rnn train --layer cec --run runs/cec             # the LSTM of 1997
# $ lstm-recipes char-rnn train --preset best --run runs/best          # larger, about 90 minutes
# ```
#
# And here:
#
# - Train with `replace(PRESETS["default"], layer="cec")`. Without forget gates, what does the
#   unit that follows the line do at the line's end?
# - Add something else that can be counted to `places`, such as the position in the sentence,
#   `since(r"[.?!]\s")`, and look for the unit that follows it.
# - Set the state of that unit to 0 after every character, with the loop `step(x_t, states)`.
#   Which characters does the model then predict worse? If none, others know it too.
