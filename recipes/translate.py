"""translate: an encoder and a decoder (Sutskever 2014; Bahdanau 2014; Wu 2016) on pairs of text."""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstm_recipes.data.dates import generate_phrases
from lstm_recipes.data.multi30k import load_multi30k
from lstm_recipes.data.pair_files import load_parallel, load_tab_separated
from lstm_recipes.data.pairs import Pairs
from lstm_recipes.data.translation_sets import load_tfds_pairs
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary
from lstm_recipes.errors import UserError
from lstm_recipes.export.export_run import Target, export_run
from lstm_recipes.recipe_numbers import Range, check_numbers, chosen, restored, search_options
from lstm_recipes.training.ablation import ablation_of
from lstm_recipes.training.devices import Devices
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained_translator import TrainedTranslator, keep

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Translate:
    """Every number of the recipe; config.json keeps them."""

    tokens: Literal["words", "wordpiece", "characters"] = "characters"
    """What a sentence is cut into; wordpieces are the same in both languages."""
    vocabulary: int = 10_000  # The most tokens of a language.
    minimum_count: int = 1  # A token that is rarer in training is an unknown one.
    lowercase: bool = False  # Whether everything is put into small letters.
    reverse: bool = False  # Whether the source is read from its end.
    attention: Literal["none", "bahdanau", "luong"] = "bahdanau"
    """How the decoder asks the source's tokens; without, it has the encoder's last state alone."""
    layer: Literal["cec", "forget", "peephole", "gru", "keras_lstm", "keras_gru"] = "forget"
    """The recurrent layer."""
    layers: int = 1  # How many in the encoder, and in the decoder.
    units: int = 128  # Width of each.
    embedding: int = 64  # Width of the vector that stands for a token.
    bidirectional: bool = True  # Whether the lowest encoder layer reads both ways.
    residual_from: int = 0  # Layers from this one on add their input to their output; 0: none.
    dropout: float = 0.1  # Rate on tokens' vectors, after each layer, before the softmax.
    recurrent_dropout: float = 0.0  # Rate on h_{t-1}, one mask a sentence.
    tied: bool = False  # Whether the softmax's kernel is the target tokens' vectors.
    initial_scale: float | None = None  # All weights begin uniform in ± this; or as in Keras.
    label_smoothing: float = 0.0  # Share of the probability that all tokens get alike.
    scheduled_sampling: float = 0.0  # Share of what the decoder reads that it said itself.
    batch_size: int = 64  # Pairs of like length.
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """How the weights follow the gradient."""
    schedule: Literal["cosine", "halving"] = "cosine"
    """The learning rate rises and falls in a half cosine, or stays and is halved from 2/3 on."""
    learning_rate: float = 3e-3  # At its highest.
    warmup: int = 100  # Steps until the cosine is at its highest.
    weight_decay: float = 0.01  # AdamW's, on kernels alone.
    loss_per: Literal["token", "sentence"] = "token"
    """What the loss that is followed is a mean of: sentences, and long ones count for more."""
    clip_norm: float = 1.0  # A gradient longer than this is shortened to it.
    steps: int | None = None  # Training steps; or else one of the next two.
    epochs: float | None = 12.0  # How often the training pairs are read.
    minutes: float | None = None  # Becomes a number of steps after fifty timed ones.
    validate_every: int | None = None  # Steps between measurements; without it, once an epoch.
    patience: int | None = None  # Measurements without a better BLEU after which it is enough.
    beam: int = 5  # Hypotheses that live when the test split is translated.
    length_penalty: float = 1.0  # α of ((5 + n) / 6)^α, by which a score is divided.
    seed: int = 0  # Of initial weights, batches and dropout.
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """mixed_bfloat16 multiplies in bfloat16, faster where the processor can; c stays float32."""

    def check(self) -> None:
        """Raise a UserError unless all numbers make sense."""
        counts = "vocabulary minimum_count layers units embedding batch_size validate_every"
        check_numbers(self, counts + " patience beam", Range.COUNT)
        rates = "dropout recurrent_dropout label_smoothing scheduled_sampling"
        check_numbers(self, rates, Range.SHARE)
        check_numbers(self, "learning_rate clip_norm initial_scale", Range.POSITIVE)
        check_numbers(self, "warmup weight_decay length_penalty residual_from", Range.NOT_NEGATIVE)
        check_numbers(self, "seed", Range.SEED)
        if self.bidirectional:
            check_numbers(self, "units", Range.EVEN)


PRESETS = {
    "default": Translate(),
    "bahdanau": Translate(
        tokens="wordpiece",
        vocabulary=8_000,
        lowercase=True,
        units=384,
        embedding=256,
        dropout=0.4,
        tied=True,
        label_smoothing=0.1,
        learning_rate=2e-3,
        epochs=20.0,
    ),
    "sutskever": Translate(
        tokens="words",
        vocabulary=80_000,
        reverse=True,
        attention="none",
        layers=4,
        units=1000,
        embedding=1000,
        bidirectional=False,
        dropout=0.0,
        initial_scale=0.08,
        batch_size=128,
        optimizer="sgd",
        schedule="halving",
        learning_rate=0.7,
        loss_per="sentence",
        clip_norm=5.0,
        epochs=7.5,
        length_penalty=0.0,
    ),
    "gnmt": Translate(
        tokens="wordpiece",
        vocabulary=32_000,
        layers=8,
        units=1024,
        embedding=1024,
        residual_from=3,
        dropout=0.2,
        label_smoothing=0.1,
        learning_rate=1e-3,
        clip_norm=5.0,
        epochs=10.0,
    ),
}


def load(data: str, source: str, target: str, columns: tuple[int, ...] = (1, 2)) -> Pairs:
    """Pairs by the name of a set, or from files of one's own."""
    if len(columns) != 2 or min(columns) < 1:
        given = " ".join(map(str, columns)) or "nothing"
        raise UserError(
            f"--columns is {given}; give two numbers, the source's column and the target's, "
            "counted from 1"
        )
    if columns != (1, 2) and not Path(data).is_file():
        raise UserError(f"--columns is for a file with tabs, which {data} is not; leave it out")
    if data == "phrases":
        return generate_phrases(source, target)
    if data == "multi30k":
        return load_multi30k(source, target)
    if data.startswith("tfds:"):
        return load_tfds_pairs(data.removeprefix("tfds:"), source, target)
    path = Path(data)
    if path.is_dir():
        return load_parallel(path, source, target)
    return load_tab_separated(path, (source, target), *(column - 1 for column in columns))


def build(
    numbers: Translate, vocabulary: TranslationVocabulary, devices: tuple[str, ...] = ()
) -> "keras.Model":
    """The model, with freshly drawn weights; on several devices, if any are given."""
    import keras

    from lstm_recipes.models.seq2seq import made

    keras.utils.set_random_seed(numbers.seed)
    names = "attention layer layers units embedding bidirectional residual_from dropout"
    return made(
        len(vocabulary.source),
        len(vocabulary.target),
        initial_scale=numbers.initial_scale,
        devices=devices,
        dtype=numbers.precision,
        **chosen(numbers, names + " recurrent_dropout tied"),
    )


def train(
    numbers: Translate,
    run: Path = Path("runs/translate"),
    data: str = "phrases",
    source: str = "en",
    target: str = "fr",
    columns: tuple[int, ...] = (1, 2),
    resume: bool = False,
    overwrite: bool = False,
    where: Devices = Devices(),  # noqa: B008  frozen
) -> dict[str, Any]:
    """Train a translator on the train split, choose the best on the valid split, measure it once
    on the test split.

    Args:
        numbers: The recipe's numbers.
        run: The folder for all that the run writes.
        data: "phrases" (dates, times and amounts, generated), "multi30k", "tfds:NAME" of a
            translation set of TensorFlow Datasets, a folder with train.en, train.fr, valid.en …
            of your own, or a file with a source, a tab and a target a line.
        source: The language to translate from.
        target: The language to translate into.
        columns: Of a file with tabs, the source's and the target's, counted from 1.
        resume: Go on with the run in the folder.
        overwrite: Start anew in a folder that holds a run.
        where: On which devices.
    """
    from lstm_recipes.training.fit import Budget, fit
    from lstm_recipes.training.translation import TranslationTask

    replicas = where.replicas(places_layers=True)
    run = replicas.folder(run, resume)
    folder = RunFolder(run)
    if resume:
        stored = folder.resume(asdict(numbers), asdict(Translate()))
        numbers = restored(Translate, stored, folder / "config.json")
    numbers.check()
    budget = Budget(numbers.steps, numbers.epochs, numbers.minutes)
    pairs = load(data, source, target, columns)
    print(pairs.report(), file=sys.stderr)
    about = pairs.about
    if resume:
        folder.check_data(about, "give the same --data, --source and --target to resume it")
        if (metrics := folder.finished()) is not None:
            return metrics
    else:
        folder.begin("translate", asdict(numbers), about, overwrite)
    options = chosen(numbers, "lowercase minimum_count reverse")
    vocabulary = TranslationVocabulary.of(pairs, numbers.tokens, numbers.vocabulary, **options)
    keep(folder, pairs, vocabulary)
    names = "batch_size seed label_smoothing scheduled_sampling optimizer weight_decay loss_per"
    options = chosen(numbers, names + " clip_norm")
    with replicas.scope():
        model = build(numbers, vocabulary, where.of_layers())
        task = TranslationTask(model, vocabulary, pairs, replicas=replicas, **options)
    options = chosen(numbers, "learning_rate warmup schedule patience")
    options["validate_every"] = numbers.validate_every or task.steps_per_epoch
    trained = fit(task, folder, budget, replicas=replicas, **options)
    if not replicas.chief:
        return {}  # the chief measures
    found = TrainedTranslator(run).measure(**chosen(numbers, "beam length_penalty"))
    return folder.finish(found.scores | trained)


def evaluate(
    run: Path,
    /,
    split: Literal["test", "valid"] | None = None,
    beam: int = 5,
    length_penalty: float = 1.0,
    coverage_penalty: float = 0.0,
    ensemble: tuple[Path, ...] = (),
    int8: bool = False,
) -> dict[str, Any]:
    """Measure a trained translator: BLEU and chrF, BLEU by length, and twenty samples, the best and
    the worst.

    Args:
        run: The folder that train wrote.
        split: The pairs to measure it on; without it test, or valid where there is no test.
        beam: How many hypotheses live; 1 is greedy.
        length_penalty: α of ((5 + n) / 6)^α, by which a score is divided; more makes longer.
        coverage_penalty: β: how much it costs to leave a source's token unattended.
        ensemble: Folders of more runs with the same vocabulary, which translate together.
        int8: Make the kernels int8, and say how the scores change by it.
    """
    options = search_options(
        beam=beam, length_penalty=length_penalty, coverage_penalty=coverage_penalty
    )
    translator = TrainedTranslator(run, ensemble, int8)
    found = translator.measure(split, **options)
    # Of a translator that has learnt small letters alone, BLEU that minds capitals says nothing.
    target = translator.vocabulary.target
    language = target.language if target.lowercase else None
    scores = found.scores
    if int8:
        before = TrainedTranslator(run, ensemble).measure(split, **options)
        scores |= found.beside(before, language)
    return scores | {"by source length": found.by_length(language), "samples": found.samples()}


def translate(
    run: Path,
    files: tuple[Path, ...] = (),
    /,
    beam: int = 5,
    n_best: int = 1,
    scores: bool = False,
    length_penalty: float = 1.0,
    coverage_penalty: float = 0.0,
    no_repeat_ngram: int = 0,
    ensemble: tuple[Path, ...] = (),
    int8: bool = False,
    attention: Path | None = None,
) -> None:
    """Translate sentences, a line each, on standard input or in files; a line out for a line in.

    Args:
        run: The folder that train wrote.
        files: UTF-8 text; without any, or for "-", standard input.
        beam: How many hypotheses live; 1 is greedy.
        n_best: How many translations of a line to write, a line each, best first.
        scores: Write the score and a tab before each translation.
        length_penalty: α of ((5 + n) / 6)^α, by which a score is divided; more makes longer.
        coverage_penalty: β: how much it costs to leave a source's token unattended.
        no_repeat_ngram: No translation has the same so many tokens in a row twice; 0: it may.
        ensemble: Folders of more runs with the same vocabulary, which translate together.
        int8: Make the kernels int8, a quarter of their size.
        attention: A file for a picture of the attention, .html or .png.
    """
    from lstm_recipes.decoding.write_translations import write_translations

    options = search_options(
        beam=beam,
        n_best=n_best,
        length_penalty=length_penalty,
        coverage_penalty=coverage_penalty,
        no_repeat_ngram=no_repeat_ngram,
    )
    translator = TrainedTranslator(run, ensemble, int8)
    write_translations(translator, files, options, scores=scores, attention=attention)


def export(
    run: Path,
    /,
    to: Target,
    out: Path | None = None,
    int8: bool = False,
    overwrite: bool = False,
    beam: int = 5,
    length_penalty: float = 1.0,
) -> dict[str, Any]:
    """Write a trained translator for where Keras is not, its beam search included, with its
    tokenizers and a model card.

    Args:
        run: The folder that train wrote.
        to: "saved-model" for TensorFlow's servers; a beam search cannot become another format.
        out: The folder to write; without it export/FORMAT in the run's.
        int8: Make the kernels int8, a quarter of their size.
        overwrite: Replace an export that is there.
        beam: How many hypotheses live; 1 is greedy.
        length_penalty: α of ((5 + n) / 6)^α, by which a score is divided; more makes longer.
    """
    from lstm_recipes.decoding.translation import NOTES, Translator

    options = search_options(beam=beam, length_penalty=length_penalty)

    def functions(model: "keras.Model") -> dict[str, Any]:
        return {"translate": Translator([model], **options).search}

    trained = TrainedTranslator(run)
    how = {"int8": int8, "overwrite": overwrite, "functions": functions, "notes": NOTES}
    return export_run(trained.models[0], trained.folder, to, out, **how)


ablation = ablation_of(replace(PRESETS["bahdanau"], units=256, epochs=8.0), load, train)
