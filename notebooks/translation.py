# %% [markdown]
# # A network that translates
#
# `Tuesday, March 3, 1998, 2:05 PM` is `mardi 3 mars 1998, 14:05` in French. One network reads the
# first, another says the second, character by character. How does what was read come to the one
# that speaks? At first as a single vector, and then by attention. Here we build both from their
# equations, train them on the same phrases, and measure what each idea of ten years is worth on
# them: reading the source backwards (2014), attention (2014), beam search, and the deep residual
# stacks, wordpieces and penalties of Google's system (2016). Every claim on this page is checked:
# the code asserts it, or prints the number that it measured. Where a number of one short training
# decides, with its seed, the page says what to look at and leaves the verdict to the number.
#
# **Time:** ten to fifteen minutes on two cores, nearly all of them training. With
# `LSTM_RECIPES_FAST=1` in the environment it takes under a minute: tiny models on few phrases,
# which tests the page and teaches nothing. Nothing is downloaded.

# %%
import os
import warnings

from lstm_recipes.quiet import load_tensorflow

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
load_tensorflow()  # leaves out what it says of itself while it starts
warnings.filterwarnings("ignore", "IProgress not found")  # tqdm would like ipywidgets

# %%
import re
import time
from dataclasses import replace
from typing import NamedTuple

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from lstm_recipes.data import Pairs, generate_phrases
from lstm_recipes.data.tokenizer import PADDING, START
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary
from lstm_recipes.decoding import beam_search
from lstm_recipes.decoding.translation import Hypothesis, Translator
from lstm_recipes.metrics.translation import bleu, bleu_by_length, exact_match, paired_bootstrap
from lstm_recipes.models.seq2seq import Encoded, Seq2Seq, made
from lstm_recipes.recipe_numbers import chosen
from lstm_recipes.recipes.translate import PRESETS, Translate, build
from lstm_recipes.training.schedule import warmup_cosine
from lstm_recipes.training.trained_translator import TrainedTranslator
from lstm_recipes.training.translation import TokenLoss, TokenPairs, TranslationTask

tf.get_logger().setLevel("ERROR")  # it remarks on code that is compiled for several models

FAST = os.environ.get("LSTM_RECIPES_FAST") == "1"
TRANSLATOR = os.environ.get("LSTM_RECIPES_TRANSLATOR")  # a run folder of real sentences, if any

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
# ## The phrases
#
# Dates, times, amounts and measures, written in both languages by the rules of Unicode's CLDR.
# There are as many as one wants, no phrase to test with is among those to train with, and each has
# one right translation. So we can count what is right to the letter.

# %%
sizes = {"train": 12_000, "valid": 400, "test": 1_000}
if FAST:
    sizes = {"train": 320, "valid": 48, "test": 80}
pairs = generate_phrases("en", "fr", **sizes)
sources, references = (list(side) for side in zip(*pairs.test, strict=True))
lengths = [len(source) for source in sources]

for source, reference in pairs.test[:8]:
    print(f"{source:38} {reference}")
characters = sum(len(target) for _, target in pairs.train)
print(f"\nto train with: {len(pairs.train):,} phrases, {characters:,} French characters")
print(f"to test with:  {len(pairs.test):,}, of {min(lengths)} to {max(lengths)} English characters")
assert not set(sources) & {source for source, _ in pairs.train}

# %% [markdown]
# ## One fixed vector
#
# An encoder reads the source $x_1 \dots x_S$. A decoder begins with the encoder's last state and
# says the target, and what it has said it reads again (Sutskever, Vinyals & Le 2014):
#
# $$s_0 = \operatorname{encoder}(x_1 \dots x_S), \qquad
# h_t, s_t = \operatorname{decoder}(y_{t-1}, s_{t-1}), \qquad
# p(y_t) = \operatorname{softmax}(W h_t)$$
#
# So all that the decoder ever knows of the source is $s_0$, and $s_0$ is as large for a sentence
# as for a word.

# %%
keras.utils.set_random_seed(0)
small = {"units": 16, "embedding": 8, "bidirectional": False}
plain = made(20, 20, attention="none", **small)
draw = np.random.default_rng(0)
for length in (2, 20, 200):
    encoded = plain.encode(draw.integers(4, 20, [1, length], "int32"))
    floats = sum(int(tf.size(part)) for part in tf.nest.flatten(plain.start(encoded)))
    print(f"of {length:3} tokens the decoder gets {floats} numbers")
    assert floats == 2 * 16  # h and c
    assert plain.memory(encoded) == ()  # and nothing else that it could ask

# %% [markdown]
# ## Attention
#
# Bahdanau, Cho & Bengio (2014) let the decoder look back. The encoder keeps what it said at each
# token, the memory $m_1 \dots m_S$. Before each step the decoder's last state asks it, and gets a
# mean, weighted by how well each place answers:
#
# $$e_j = g \frac{v^\top}{\lVert v \rVert} \tanh(W_q h_{t-1} + U_m m_j + b), \quad
# \alpha = \operatorname{softmax}(e), \quad c_t = \sum_j \alpha_j m_j$$
#
# $$h_t, s_t = \operatorname{LSTM}([y_{t-1}; c_t], s_{t-1}), \qquad
# p(y_t) = \operatorname{softmax}(W \tanh(W_a [h_t; c_t] + b_a) + b_o)$$
#
# Here it is by hand, beside the package's own step:

# %%
asking = made(20, 20, attention="bahdanau", **small)
source = draw.integers(4, 20, [1, 7], "int32")
encoded = asking.encode(source)
cell = asking.decoder[0].cell


def arrays(layer, names: str) -> list[np.ndarray]:
    return [np.asarray(getattr(layer, name)) for name in names.split()]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


W_q, U_m, v, g, b = arrays(
    cell.attention, "query_kernel memory_kernel score_kernel score_length bias"
)
W_x, W_h, b_h = arrays(cell.cell, "kernel recurrent_kernel bias")  # [i, f, c, o]
W_a, b_a = arrays(asking.readout, "kernel bias")
W, b_o = arrays(asking.softmax, "kernel bias")


def one_step(y, h, c, m):
    e = np.tanh(h @ W_q + m @ U_m + b) @ (g * v[:, 0] / np.linalg.norm(v))
    alpha = np.exp(e) / np.exp(e).sum()
    context = alpha @ m
    i, f, new, o = np.split(np.concatenate([y, context]) @ W_x + h @ W_h + b_h, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(new)
    h = sigmoid(o) * np.tanh(c)
    return np.tanh(np.concatenate([h, context]) @ W_a + b_a) @ W + b_o, alpha, h, c


h, c = (np.array(part[0]) for part in encoded.states[0])
states, memory = asking.start(encoded), asking.memory(encoded)
said = [START, *draw.integers(4, 20, 5)]
steps = []
for token in said:
    vector = np.asarray(asking.target_embedding.embeddings)[token]
    logits, alpha, h, c = one_step(vector, h, c, np.array(encoded.memory[0]))
    theirs, states, weights = asking.step(tf.constant([token]), states, memory)
    np.testing.assert_allclose(theirs[0], logits, atol=1e-5)
    np.testing.assert_allclose(weights[0], alpha, atol=1e-5)
    steps.append(theirs)

# Trained, the target is known, and all steps are taken in one call. It is the same.
at_once = asking({"source": source, "target": tf.constant([said], "int32")})
np.testing.assert_allclose(at_once[0], np.concatenate(steps), atol=1e-5)
print("by hand, step by step and all at once: the same logits and weights")

# %% [markdown]
# ## Where one vector breaks
#
# Three models of the same size learn the same phrases in the same order: without attention, without
# it but reading the source from its end (of that below), and with attention. All encoders read one
# way, so that attention is the only difference between the first and the last. The loop is the
# package's own task: teacher forcing, batches of like length, AdamW, half a cosine.


# %%
class Taught(NamedTuple):
    """A trained model, and what was seen on the way."""

    model: Seq2Seq
    vocabulary: TranslationVocabulary
    curve: list[tuple[int, float]]  # steps, nats a token on the development phrases
    seconds: float

    def translations(self, texts: list[str], **options) -> list[list[Hypothesis]]:
        return Translator([self.model], **options).translate(self.vocabulary.read_all(texts))

    def texts(self, found: list[list[Hypothesis]]) -> list[str]:
        return [self.vocabulary.target.decode(best[0].tokens) for best in found]


def teach(numbers: Translate, pairs: Pairs, looks: int = 8) -> Taught:
    """Train the recipe's model with its numbers, and measure the loss so many times."""
    vocabulary = TranslationVocabulary.of(
        pairs, numbers.tokens, numbers.vocabulary, reverse=numbers.reverse
    )
    model = build(numbers, vocabulary)
    names = "batch_size seed label_smoothing scheduled_sampling optimizer weight_decay clip_norm"
    task = TranslationTask(model, vocabulary, pairs, **chosen(numbers, names))
    measure = TokenLoss(model)
    total, curve, seconds = round(numbers.epochs * task.steps_per_epoch), [], 0.0
    measured = {round(total * (k + 1) / looks) for k in range(looks)}
    for step in range(total):
        began = time.perf_counter()
        rate = warmup_cosine(step, total, numbers.learning_rate, numbers.warmup)
        task.train_step(step, rate)
        seconds += time.perf_counter() - began if step else 0.0  # the first one compiles
        if step + 1 in measured:
            curve.append((step + 1, measure.of(task.valid)))
    speed = (total - 1) * task.units_per_step / seconds
    print(
        f"{model.count_params():,} weights, {total:,} steps in {seconds:.0f} seconds "
        f"({speed:,.0f} French tokens a second): {curve[-1][1]:.3f} nats a token"
    )
    return Taught(model, vocabulary, curve, seconds)


numbers = replace(
    PRESETS["default"],
    units=96,
    embedding=48,
    bidirectional=False,
    dropout=0.0,
    batch_size=32,
    epochs=10.0,
)
if FAST:
    numbers = replace(numbers, units=32, embedding=16, batch_size=16, epochs=3.0, warmup=5)
    numbers = replace(numbers, learning_rate=2e-2)

settings = {
    "one vector": replace(numbers, attention="none"),
    "one vector, source reversed": replace(numbers, attention="none", reverse=True),
    "attention": numbers,
}
COLORS = dict(zip(settings, (ORANGE, PURPLE, BLUE), strict=True))
taught, greedy = {}, {}
for name, setting in settings.items():
    print(f"{name:28}", end=" ")
    taught[name] = teach(setting, pairs, looks=2 if FAST else 8)
    greedy[name] = taught[name].translations(sources, beam=1)

# %% [markdown]
# How much is right to the letter, and BLEU, by the length of the source. Longer phrases are also
# other phrases (dates with weekday and time), so compare the models within a column.

# %% alt="The share of phrases right to the letter against their length, for the three models"
EDGES = (9, 14, 19, 24)
bins = np.searchsorted(EDGES, lengths)  # 0: at most 9 characters
columns = [f"to {edge}" for edge in EDGES] + [f"over {EDGES[-1]}"]
counts = np.bincount(bins, minlength=len(columns))
print(f"{'English characters':34}" + "".join(f"{column:>9}" for column in columns) + "      all")
print(f"{'phrases':34}" + "".join(f"{n:9}" for n in counts) + f"{len(bins):9}")

exact, right = {}, {}
for name, found in greedy.items():
    texts = taught[name].texts(found)
    right[name] = np.array([one == other for one, other in zip(texts, references, strict=True)])
    exact[name] = [100 * right[name][bins == k].mean() if counts[k] else np.nan for k in range(5)]
    score = exact_match(texts, references)
    row = "".join(f"{share:8.1f}%" for share in exact[name])
    print(f"{name + ': exact':34}" + row + f"{score:8.1f}%")
    groups = bleu_by_length(lengths, texts, references, EDGES)
    row = "".join(f"{np.nan if group.bleu is None else group.bleu:9.1f}" for group in groups)
    print(f"{'  BLEU':34}" + row + f"{bleu(texts, references).value:9.1f}")
    assert [group.sentences for group in groups] == list(counts)

figure, axes = plt.subplots()
for name, marker in zip(settings, "s^o", strict=True):
    axes.plot(columns, exact[name], color=COLORS[name], marker=marker, label=name)
axes.set(xlabel="English characters", ylabel="right to the letter (%)", ylim=(-3, 103))
axes.legend(frameon=False)
plt.show()

overall = {name: 100 * share.mean() for name, share in right.items()}
assert FAST or overall["attention"] > overall["one vector"] + 10
assert FAST or exact["attention"][-1] > exact["one vector"][-1] + 10

# %% [markdown]
# The fixed vector is not wrong in principle: with more units and more training it holds more.
# Sutskever's had 8,000 numbers. What breaks here is a vector of this size after so much training,
# and what attention changes is that the memory grows with the source.
#
# ## Reading the source backwards
#
# Sutskever, Vinyals & Le (2014, section 3.3) found that without attention it helps much to read the
# source from its end. Their reason: if word $k$ of $S$ is translated by word $k$, then from reading
# it to saying it there are
#
# $$(S - k) + k = S \text{ steps forwards}, \qquad (k - 1) + k = 2k - 1 \text{ steps reversed}$$
#
# The mean is the same, and the first words come much nearer, from which learning can begin. The
# last are pushed away.

# %%
S = 20
k = np.arange(1, S + 1)
forwards, backwards = (S - k) + k, (k - 1) + k
print(f"forwards  {forwards}\nreversed  {backwards}")
assert forwards.mean() == backwards.mean() == S and backwards.min() == 1

# %% [markdown]
# They feared that the tail would pay for the head, and were surprised. Does it here? We let both
# models say the test phrases with the right beginning given, and count the right characters in each
# fifth of the target. A difference comes with two standard errors, of other phrases being drawn;
# another seed may differ by more.


# %% alt="Left: the loss of both reading directions against training steps. Right: the share of right characters by fifth of the target"
def right_by_place(taught: Taught) -> tuple[np.ndarray, np.ndarray]:
    """Of each test phrase and fifth of its target: right characters and all, [phrases, 5]."""
    source, read, said = TokenPairs.of(pairs.test, taught.vocabulary).batch(range(len(sources)))
    guessed = np.array(taught.model({"source": source, "target": read})).argmax(axis=-1)
    there = said != PADDING
    fifth = np.arange(said.shape[1]) * 5 // there.sum(axis=1, keepdims=True)
    parts = [there & (fifth == k) for k in range(5)]
    hits = np.stack([(part & (guessed == said)).sum(axis=1) for part in parts], axis=1)
    return hits, np.stack([part.sum(axis=1) for part in parts], axis=1)


one_vector = ["one vector", "one vector, source reversed"]
(forward_hits, totals), (reversed_hits, _) = (right_by_place(taught[name]) for name in one_vector)
redrawn = draw.integers(0, len(sources), [400, len(sources)])  # the same draws for both
by_fifth = {
    name: 100 * hits.sum(axis=0) / totals.sum(axis=0)
    for name, hits in zip(one_vector, (forward_hits, reversed_hits), strict=True)
}
gain = by_fifth[one_vector[1]] - by_fifth[one_vector[0]]
differences = (reversed_hits - forward_hits)[redrawn].sum(axis=1) / totals[redrawn].sum(axis=1)
errors = 100 * differences.std(axis=0)

print(f"{'right characters, by fifth':29}" + "".join(f"{f'{k}.':>8}" for k in range(1, 6)))
for name in one_vector:
    print(f"{name:29}" + "".join(f"{share:7.1f}%" for share in by_fifth[name]))
print(f"{'gained by reversing':29}" + "".join(f"{one:+8.1f}" for one in gain))
print(f"{'two standard errors':29}" + "".join(f"{'±' + format(2 * e, '.1f'):>8}" for e in errors))
losses = [taught[name].curve[-1][1] for name in one_vector]
print(f"\nloss {losses[0]:.3f} forwards, {losses[1]:.3f} reversed;", end=" ")
print(f"exact {overall[one_vector[0]]:.1f} % and {overall[one_vector[1]]:.1f} %")
for what, place in {"head": 0, "tail": 4}.items():
    clear = abs(gain[place]) > 2 * errors[place]
    verdict = ("gains" if gain[place] > 0 else "pays") if clear else "is as it was, within chance"
    print(f"the {what} {verdict}")

figure, (left, middle) = plt.subplots(1, 2, figsize=(7, 2.8))
for name in one_vector:
    left.plot(*np.transpose(taught[name].curve), color=COLORS[name], marker="o", markersize=3)
    middle.plot(range(1, 6), by_fifth[name], color=COLORS[name], marker="o", label=name)
left.set(xlabel="training step", ylabel="loss (nats a character)")
middle.set(xlabel="fifth of the target", ylabel="right characters (%)", xticks=range(1, 6))
middle.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# ## Attention, drawn
#
# The American order, month, day, year, becomes the French one. And `PM`, the last word, decides
# about the hour, which is said near the end but stands before it. A row is a character that was
# said, and shows where the model looked before it said it. The last column, ■, is the
# source's end.

# %% alt="Where the model looks: the weight of each source character, from left to right, for each French character, from top to bottom"
attentive = taught["attention"]
moments = [pair for pair in pairs.test if re.search(r"\d [AP]M$", pair[0]) and "–" not in pair[0]]
shown = max((pair for pair in moments if pair[0].endswith("PM")), key=lambda pair: len(pair[0]))
[[best]] = attentive.translations([shown[0]], beam=1)
said, weights = attentive.vocabulary.target.tokens(best.tokens), best.attention
said = [token[0] for token in said]  # a letter each, the unknown token's too
np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-4)
assert weights.shape == (len(best.tokens), len(shown[0]) + 1)

figure, axes = plt.subplots(figsize=(7, 1 + 0.17 * min(len(said), 30)))
image = axes.imshow(weights, cmap="Blues", vmin=0, aspect="auto")
axes.set_xticks(range(len(shown[0]) + 1), [*shown[0], "■"], fontsize=8)
axes.set_yticks(range(len(said)), said, fontsize=8)
axes.xaxis.tick_top()
axes.tick_params(length=0)
axes.spines[:].set_visible(False)
figure.colorbar(image, label="weight", pad=0.02)
plt.show()

print("English ", shown[0])
print("French  ", shown[1])
print("said    ", "".join(said))
print("\nEach French word's characters looked, more than anywhere, at the English word")
words = {match.group(): match.span() for match in re.finditer(r"\S+", shown[0])}
for match in re.finditer(r"\S+", "".join(said)):
    looked = weights[match.start() : match.end()].mean(axis=0)
    share = {word: looked[slice(*span)].sum() for word, span in words.items()}
    word = max(share, key=share.get)
    print(f"  {match.group():12} {word:12} {share[word]:.2f} of the weight")

# %% [markdown]
# A picture of weights is not yet a proof that they matter. The encoder reads forwards, and so what
# it said before `PM` cannot depend on it:
#
# $$m_j = f(x_1 \dots x_j) \quad \Rightarrow \quad
# m_j^{\text{AM}} = m_j^{\text{PM}} \text{ for all } j \text{ before the A or P}$$
#
# There are two ways left: by attention to what comes from there on, or by the encoder's last state,
# with which the decoder begins. To tell them apart, we take each time of day and its twin, with
# `AM` and `PM` exchanged, and give the decoder the memory of the one and the first state of the
# other. Whom does it believe about the hour?


# %%
def twin(pair: tuple[str, str]) -> tuple[str, str]:
    """The same twelve hours earlier or later."""
    source, target = pair
    other = {"AM": "PM", "PM": "AM"}[source[-2:]]
    return source[:-2] + other, f"{target[:-5]}{(int(target[-5:-3]) + 12) % 24:02}{target[-3:]}"


def say(model: Seq2Seq, encoded: Encoded, steps: int) -> np.ndarray:
    """Greedy: the likeliest token of each step, [batch, steps]."""
    states, memory = model.start(encoded), model.memory(encoded)
    tokens, said = tf.fill([encoded.mask.shape[0]], START), []
    for _ in range(steps):
        logits, states, _ = model.step(tokens, states, memory)
        tokens = tf.argmax(logits, axis=-1, output_type="int32")
        said.append(tokens)
    return np.stack(said, axis=1)


twins = [twin(pair) for pair in moments]
model, decode = attentive.model, attentive.vocabulary.target.decode
one, other = (
    model.encode(TokenPairs.of(some, attentive.vocabulary).batch(range(len(some)))[0])
    for some in (moments, twins)
)
for row, (source, _) in enumerate(moments):
    before = len(source) - 2  # the place of the A or P
    np.testing.assert_allclose(one.memory[row, :before], other.memory[row, :before], atol=1e-5)
    assert np.abs(one.memory[row, before] - other.memory[row, before]).max() > 1e-5

most = max(len(target) for _, target in moments) + 1
mixtures = {
    "both": one,
    "the state of one, the memory of its twin": Encoded(other.memory, one.mask, one.states),
    "the memory of one, the state of its twin": Encoded(one.memory, one.mask, other.states),
}
print(f"{len(moments)} times of day; the hour that was said is that of     the one   its twin")
believed = {}
for what, encoded in mixtures.items():
    hours = np.array([decode(row)[-5:-3] for row in say(model, encoded, most)])
    believed[what] = [
        100 * (hours == [target[-5:-3] for _, target in some]).mean() for some in (moments, twins)
    ]
    print(f"  {what:52} {believed[what][0]:6.1f}%   {believed[what][1]:6.1f}%")

# %% [markdown]
# ## Beam search
#
# A model gives each translation a probability, $p(y) = \prod_t p(y_t \mid y_1 \dots y_{t-1})$.
# Saying the likeliest character each time, greedily, need not find the likeliest whole. A beam
# keeps the best few beginnings alive. The smallest case in which that matters:

# %%
chances = np.array(
    [  # to: 0     a    b     c     d   END      from:
        [0.0, 0.6, 0.4, 0.00, 0.00, 0.0],  # START
        [0.0, 0.0, 0.0, 0.55, 0.45, 0.0],  # a
        [0.0, 0.0, 0.0, 1.00, 0.00, 0.0],  # b
        [0.0, 0.0, 0.0, 0.00, 0.00, 1.0],  # c
        [0.0, 0.0, 0.0, 0.00, 0.00, 1.0],  # d
        [0.0, 0.0, 0.0, 0.00, 0.00, 1.0],
    ],
    "float32",
)


def chain(tokens, states, memory):
    return tf.math.log(tf.gather(chances, tokens)), states, None


for width in (1, 2):
    found = beam_search(chain, tf.zeros([1, 0]), start=0, end=5, beam=width, max_length=5)
    tokens = found.tokens[0, 0, : found.lengths[0, 0]].numpy()
    probability = float(tf.exp(found.log_probabilities[0, 0]))
    print(f"beam {width}: {''.join('0abcd'[k] for k in tokens)}, p = {probability:.2f}")
    assert "".join("0abcd"[k] for k in tokens) == {1: "ac", 2: "bc"}[width]

# %% [markdown]
# In the trained models, how often does a beam of 5 find something more probable than greedy search
# does? And where a translation is wrong, whose fault is it? If the model gives the right one a
# higher probability than the one it found, the search has missed it: a *search error*. If not, it
# found what the model wanted, and the model is wrong. The first needs $\log p$ of the right
# translation, by teacher forcing. That it agrees with what the search reports is asserted.


# %%
def log_probabilities(model: Seq2Seq, read: list, targets: list) -> np.ndarray:
    """log p of each target, END included; PADDING and START are never said."""
    token_pairs, found = TokenPairs(read, targets), []
    for chunk in np.array_split(np.arange(len(read)), -(-len(read) // 128)):
        source, before, said = token_pairs.batch(chunk)
        logits = np.array(model({"source": source, "target": before}), np.float64)
        logits[..., [PADDING, START]] = -np.inf
        log_p = tf.nn.log_softmax(logits).numpy()
        log_p = np.take_along_axis(log_p, said[..., None], axis=-1)[..., 0]
        found.append(np.where(said == PADDING, 0, log_p).sum(axis=1))
    return np.concatenate(found)


def search_errors(name: str, model, vocabulary, pairs, greedy, beam) -> dict[str, list[str]]:
    """Print what a beam finds that greedy search misses; the texts of both."""
    read = vocabulary.read_all(source for source, _ in pairs)
    targets = vocabulary.target.encode_all(target for _, target in pairs)
    references = [target for _, target in pairs]
    log_p = {"right": log_probabilities(model, read, targets)}
    texts, same = {}, {}
    rounding = 1e-4 if model.compute_dtype == "float32" else 1e-2  # bfloat16 has eight bits
    for how, found in {"greedy": greedy, "beam": beam}.items():
        best = [hypotheses[0] for hypotheses in found]
        log_p[how] = log_probabilities(model, read, [one.tokens for one in best])
        searched = [one.log_probability for one in best]
        np.testing.assert_allclose(searched, log_p[how], rtol=rounding, atol=10 * rounding)
        texts[how] = [vocabulary.target.decode(one.tokens) for one in best]
        same[how] = [
            np.array_equal(one.tokens, row) for one, row in zip(best, targets, strict=True)
        ]
    gained = log_p["beam"] - log_p["greedy"]
    print(f"{name}, {len(pairs):,} translations")
    print(f"  the beam finds a more probable one  {(gained > 1e-3).sum():5}")
    print(f"  the same                            {(abs(gained) <= 1e-3).sum():5}")
    print(f"  a less probable one                 {(gained < -1e-3).sum():5}")
    print("                                     greedy   beam")
    rows = {"right, token for token": [sum(same[how]) for how in texts]}
    for what, sign in {"wrong by the search": 1, "wrong by the model": -1}.items():
        margins = {how: sign * (log_p["right"] - log_p[how]) for how in texts}
        edge = 1e-3 * sign  # of equals the model has no opinion
        rows[what] = [int(((margins[h] > edge) & ~np.array(same[h])).sum()) for h in texts]
    for what, (one, other) in rows.items():
        print(f"  {what:34} {one:6} {other:6}")
    lower = vocabulary.target.lowercase
    options = {"lowercase": lower, "samples": 50 if FAST else 300}
    compared = paired_bootstrap(texts["greedy"], texts["beam"], references, **options)
    print(f"  {'BLEU':34} {compared.baseline:6.1f} {compared.system:6.1f}", end="")
    print(f"   (p = {compared.p_value:.3f} that chance makes such a difference)\n")
    assert FAST or gained.mean() > -1e-3
    return texts


fives = {}
for name in ("one vector", "attention"):
    fives[name] = taught[name].translations(sources, beam=5, n_best=5)
    options = taught[name].model, taught[name].vocabulary, pairs.test
    search_errors(name, *options, greedy[name], fives[name])

# %% [markdown]
# Dates have one right translation, and a model that has learnt them leaves little to search for.
# Sentences are another matter. If you have a translator of sentences, the folder of a run such as
#
# ```console
# $ lstm-recipes translate train --preset bahdanau --data multi30k --run runs/captions   # two hours
# ```
#
# then `LSTM_RECIPES_TRANSLATOR=runs/captions` in the environment adds the same table for it. The
# page on the site has that of such a translator, from English to German, which keeps capitals
# (`--no-lowercase`).

# %%
captions = None
if TRANSLATOR:
    trained = TrainedTranslator(TRANSLATOR)
    [model], (_, real_pairs) = trained.models, trained.split()
    read = trained.vocabulary.read_all(source for source, _ in real_pairs)
    real_greedy, real_fives = (
        Translator([model], **options).translate(read)
        for options in ({"beam": 1}, {"beam": 5, "n_best": 5})
    )
    about = TRANSLATOR, model, trained.vocabulary, real_pairs
    search_errors(*about, real_greedy, real_fives)
    captions = trained.vocabulary.target, [target for _, target in real_pairs], real_fives
else:
    print("LSTM_RECIPES_TRANSLATOR is not set, so there is no table for sentences.")

# %% [markdown]
# ## The length penalty
#
# Each token makes a translation less probable, so the search likes short ones. Wu et al. (2016,
# section 7) rank by
#
# $$s(y) = \frac{\log p(y)}{L(y)}, \qquad L(y) = \left( \frac{5 + |y|}{6} \right)^\alpha$$
#
# where $|y|$ counts the end too. Among the same candidates, a larger $\alpha$ can only make the
# best one longer: $\log(-s) = \log(-\log p) - \alpha \log \frac{5 + |y|}{6}$ is a falling line for
# each candidate, the steeper the longer it is, and the best is the lowest of the lines. We rank the
# five of each beam anew.

# %%
ALPHAS = (0.0, 0.2, 0.6, 1.0, 2.0, 4.0)


def rank(hypotheses: list[Hypothesis], alpha: float) -> Hypothesis:
    def s(one):
        return one.log_probability / ((5 + len(one.tokens) + 1) / 6) ** alpha

    return max(hypotheses, key=s)


def by_alpha(name: str, target, references: list[str], fives: list[list[Hypothesis]]) -> None:
    tokens = sum(len(ids) for ids in target.encode_all(references))
    print(f"{name}\nalpha   length, % of the right one's   exact    BLEU")
    longer = []
    for alpha in ALPHAS:
        best = [rank(hypotheses, alpha) for hypotheses in fives]
        longer.append([len(one.tokens) for one in best])
        texts = [target.decode(one.tokens) for one in best]
        share, score = exact_match(texts, references), bleu(texts, references).value
        print(f"{alpha:5} {100 * sum(longer[-1]) / tokens:30.2f} {share:7.1f}% {score:7.1f}")
    assert (np.diff(longer, axis=0) >= 0).all()  # for every phrase
    print()


for name, five in fives.items():
    by_alpha(name, taught[name].vocabulary.target, references, five)
if captions:
    by_alpha(TRANSLATOR, *captions)

few = sources[:200]
for [one] in attentive.translations(few, beam=5, length_penalty=1.0):  # in the search itself
    penalty = (5 + len(one.tokens) + 1) / 6
    np.testing.assert_allclose(one.score, one.log_probability / penalty, rtol=1e-4, atol=1e-6)

# %% [markdown]
# ## What GNMT added
#
# Google's system of 2016 (Wu et al.) is the same idea, made large: eight layers and residual
# connections, wordpieces, and a second penalty for what was left out. What is each worth here, at a
# size of minutes? Small models cannot say what large ones need, but each idea's mechanism can be
# measured.
#
# **Residual connections.** From the third layer on, a layer adds its input to its output:
#
# $$x^k = h^k + x^{k-1}, \qquad
# \frac{\partial x^K}{\partial x^2} = \prod_{k=3}^{K} \left( I + \frac{\partial h^k}
# {\partial x^{k-1}} \right)$$
#
# The error has a way down that no layer can shrink. Before any training we put the same batch
# through six layers and compare the gradients of the encoder's layers.

# %%
DEPTH = 3 if FAST else 6
deep = replace(numbers, layers=DEPTH, units=8 if FAST else 48, epochs=0.5 if FAST else 1.5)
stacks = {"plain": deep, "residual": replace(deep, residual_from=3)}
vocabulary = attentive.vocabulary
source, read, said = TokenPairs.of(pairs.train, vocabulary).batch(range(64))
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PADDING)
norms = {}
for name, setting in stacks.items():
    model = build(setting, vocabulary)
    layers = [layer.trainable_variables for layer in model.encoder]
    with tf.GradientTape() as tape:
        loss = cross_entropy(said, model({"source": source, "target": read}))
    norms[name] = [float(tf.linalg.global_norm(part)) for part in tape.gradient(loss, layers)]
    print(f"{name:9} gradient, lowest layer first:", *(f"{norm:.1e}" for norm in norms[name]))

reaches = {name: norm[0] / norm[-1] for name, norm in norms.items()}
print("the lowest layer's over the highest's:", end=" ")
print(", ".join(f"{share:.3f} {name}" for name, share in reaches.items()))
assert reaches["residual"] > reaches["plain"]

# %% [markdown]
# That is the start. Training can mend much, and after a while a plain stack of this depth may do as
# well. So we train both, for a short time:

# %% alt="Left: the gradient of each encoder layer before training, plain and residual. Right: their losses"
curves = {}
for name, setting in stacks.items():
    print(f"{name:9}", end=" ")
    curves[name] = teach(setting, pairs, looks=2 if FAST else 8).curve

figure, (left, middle) = plt.subplots(1, 2, figsize=(7, 2.8))
for name, color in (("plain", ORANGE), ("residual", BLUE)):
    left.semilogy(range(1, DEPTH + 1), norms[name], color=color, marker="o", label=name)
    middle.plot(*np.transpose(curves[name]), color=color, marker="o", markersize=3, label=name)
left.set(xlabel="encoder layer", ylabel="gradient before training", xticks=range(1, DEPTH + 1))
middle.set(xlabel="training step", ylabel="loss (nats a character)")
left.legend(frameon=False)
plt.show()

one, other = (curves[name][-1][1] for name in ("plain", "residual"))
print(f"at the end {one:.3f} nats plain, {other:.3f} residual,", end=" ")
print(f"and the one layer with attention has {attentive.curve[-1][1]:.3f}")

# %% [markdown]
# **Wordpieces.** With whole words for tokens, whatever training did not have cannot be said: a
# number, mostly. Characters can say all but make long sequences. Wordpieces are between them: words
# that are common are whole, and the others are cut.

# %%
print("tokens        in the vocabulary   a phrase   test phrases that it can write at all")
WORDPIECES = 250 if FAST else 400
writable = {}
for kind, size in {"words": 10_000, "wordpiece": WORDPIECES, "characters": 10_000}.items():
    target = TranslationVocabulary.of(pairs, kind, size).target
    cut = target.encode_all(references)
    back = [target.decode(ids) for ids in cut]
    writable[kind] = exact_match(back, references)
    mean = np.mean([len(ids) for ids in cut])
    print(f"{kind:12} {len(target):18,} {mean:10.1f} {writable[kind]:33.1f}%")
assert writable["words"] < writable["wordpiece"]

# %% [markdown]
# So we train the model with attention on wordpieces, as often over the phrases as with characters.
# It takes fewer steps of recurrence; but a digit is now sometimes hidden in a piece with its
# neighbours, which makes copying numbers something to be learned for each piece.

# %%
print(f"{'wordpieces':12}", end=" ")
pieces = teach(replace(numbers, tokens="wordpiece", vocabulary=WORDPIECES), pairs, looks=2)
piece_texts = pieces.texts(pieces.translations(sources, beam=1))
character_texts = attentive.texts(greedy["attention"])
has_digits = np.array([bool(re.search(r"\d{3}", source)) for source in sources])
print("             seconds   exact   of phrases with 3 digits in a row   of the others    BLEU")
for name, texts, seconds in (
    ("characters", character_texts, attentive.seconds),
    ("wordpieces", piece_texts, pieces.seconds),
):
    same = np.array([one == other for one, other in zip(texts, references, strict=True)])
    shares = [100 * part.mean() for part in (same, same[has_digits], same[~has_digits])]
    score = bleu(texts, references).value
    print(f"{name:12} {seconds:7.0f} {shares[0]:6.1f}% {shares[1]:34.1f}%", end=" ")
    print(f"{shares[2]:14.1f}% {score:7.1f}")

# %% [markdown]
# **Coverage.** To the score comes a term for source tokens that were hardly looked at, which says
# that something may have been left out:
#
# $$\beta \sum_i \log \min\Bigl( \sum_j \alpha_{ij}, 1 \Bigr)$$
#
# It is never positive, and zero if every token of the source got a full share. Is it a sign of
# mistakes at all? We compare it in right and in wrong translations, and then search with GNMT's
# $\alpha = \beta = 0.2$.


# %%
def coverage(one: Hypothesis) -> float:
    """By source token, so that long phrases compare with short ones; of the tokens' attention
    alone, without that of the end."""
    seen = one.attention.sum(axis=0)[:-1]
    return float(np.log(np.clip(seen, 1e-6, 1)).mean())


best = [five[0] for five in fives["attention"]]
covered = np.array([coverage(one) if len(one.tokens) else np.nan for one in best])
same = np.array([decode(one.tokens) == want for one, want in zip(best, references, strict=True)])
for what, group in {"right": same, "wrong": ~same}.items():
    if group.any():
        print(f"{group.sum():5} {what}: mean coverage {np.nanmean(covered[group]):.3f} a token")

penalties = {"length_penalty": 0.2, "coverage_penalty": 0.2}
gnmt = attentive.translations(sources, beam=5, **penalties)
for [one] in gnmt:
    assert one.score <= one.log_probability / ((6 + len(one.tokens)) / 6) ** 0.2 + 1e-4
print(f"\n{'search with attention':36}   exact    BLEU")
for name, found in {
    "greedy": greedy["attention"],
    "beam 5": fives["attention"],
    "beam 5, length and coverage 0.2": gnmt,
}.items():
    texts = attentive.texts(found)
    print(f"{name:36} {exact_match(texts, references):6.1f}% {bleu(texts, references).value:7.1f}")

# %% [markdown]
# ## What to try next
#
# The command line trains the same models, larger, and keeps them in a folder:
#
# ```console
# $ lstm-recipes translate train --run runs/phrases               # fifteen minutes
# $ echo "Friday, July 4, 2031, 9:30 AM" | lstm-recipes translate translate runs/phrases
# $ lstm-recipes translate train --run runs/ja --target ja        # fifteen minutes, into Japanese
# $ lstm-recipes translate train --preset bahdanau --data pairs.tsv --run runs/mine   # your own
# ```
#
# And here:
#
# - Give `numbers` `bidirectional=True` and draw the attention again. What the encoder says at the
#   hour can then know of `PM`. Whom does the decoder believe in the mixtures?
# - Train the model without attention with two and four times the units. How far does the place
#   move at which it breaks?
# - Give `numbers` `attention="luong"`. Its highest output asks, after the step and not before it.
#   By how much do the rows of the picture shift?
# - Translate with a beam of 1, 2, 5, 20 and 100, α = 0. Wider beams find more probable
#   translations. Are they better ones?
# - Train with another seed, `replace(numbers, seed=1)`. Which of this page's differences stay?
