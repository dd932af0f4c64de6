"""char-rnn: a character-level language model (Karpathy 2015), on tiny Shakespeare or any text."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstm_recipes.data import TextSource, Vocabulary, load_tiny_shakespeare, read_text
from lstm_recipes.data.streams import Streams
from lstm_recipes.data.text import training_length
from lstm_recipes.export.export_run import Target, export_run
from lstm_recipes.recipe_numbers import Range, check_numbers, chosen, restored
from lstm_recipes.training.devices import Devices
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained import TrainedCharLM

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class CharRNN:
    """Every number of the recipe; config.json keeps them."""

    layer: Literal["cec", "forget", "peephole", "gru", "keras_lstm", "keras_gru"] = "gru"
    """The recurrent layer; the GRU learns most in three minutes on a processor."""
    layers: int = 1  # How many of them, one on top of the other.
    units: int = 256  # Width of each layer.
    embedding: int = 128  # Width of the vector that stands for a character.
    dropout: float = 0.2  # Share of each layer's outputs that is dropped in training.
    recurrent_dropout: float = 0.0  # Share of h that does not come back, the same all window long.
    batch_size: int = 64  # Streams that are read side by side.
    time: int = 50  # Characters a window: the gradient goes back so far, the state is carried on.
    learning_rate: float = 5e-3  # AdamW's, at its highest; it falls in a half cosine to 0.
    warmup: int = 100  # Steps until the learning rate is at its highest.
    weight_decay: float = 0.1  # AdamW's, on everything but biases.
    clip_norm: float = 1.0  # A gradient longer than this, all weights together, is shortened to it.
    steps: int | None = 3000  # Training steps; or else one of the next two.
    epochs: float | None = None  # How often the training text is read.
    minutes: float | None = None  # Becomes a number of steps after fifty timed ones.
    validate_every: int = 300  # Steps between estimates of the validation loss and checkpoints.
    seed: int = 0  # Of the initial weights and the dropout masks.
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """mixed_bfloat16 multiplies in bfloat16, faster where the processor can; c stays float32."""

    def check(self) -> None:
        """Raise a UserError unless all numbers make sense."""
        counts = "layers units embedding batch_size time validate_every"
        check_numbers(self, counts, Range.COUNT)
        check_numbers(self, "dropout recurrent_dropout", Range.SHARE)
        check_numbers(self, "learning_rate clip_norm", Range.POSITIVE)
        check_numbers(self, "warmup weight_decay", Range.NOT_NEGATIVE)
        check_numbers(self, "seed", Range.SEED)


PRESETS = {
    "default": CharRNN(),
    "best": CharRNN(
        layer="forget",
        layers=2,
        units=512,
        dropout=0.5,
        recurrent_dropout=0.15,
        time=100,
        learning_rate=2.5e-3,
        warmup=200,
        steps=5000,
        validate_every=250,
        precision="mixed_bfloat16",
    ),
}


def load(text: Path | None) -> tuple[str, str]:
    """The name of the data and the whole text, to look at; `train` reads it in blocks."""
    source = find(text)
    return source.name, source.read()


def find(text: Path | None) -> TextSource:
    """A file of one's own, or tiny Shakespeare."""
    if text is not None:
        return TextSource.file(text)
    whole = load_tiny_shakespeare()
    return TextSource.of("tiny_shakespeare", lambda: [whole])


def build(numbers: CharRNN, vocabulary: Vocabulary) -> "keras.Model":
    """The model, with freshly drawn weights."""
    import keras

    from lstm_recipes.models.char_lm import char_lm

    keras.utils.set_random_seed(numbers.seed)
    names = "layer layers units embedding dropout recurrent_dropout precision"
    return char_lm(len(vocabulary), **chosen(numbers, names))


def train(
    numbers: CharRNN,
    run: Path = Path("runs/char-rnn"),
    text: Path | None = None,
    init_from: Path | None = None,
    add_characters: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    where: Devices = Devices(),  # noqa: B008  frozen
) -> dict[str, Any]:
    """Train a character model, and measure it on the whole validation split.

    Args:
        numbers: The recipe's numbers.
        run: The folder for all that the run writes.
        text: A UTF-8 text of your own; without it, tiny Shakespeare.
        init_from: The folder of a trained model to go on from, with this text: its size, weights
            and vocabulary.
        add_characters: With --init-from, give characters that the old vocabulary lacks rows of
            their own, instead of refusing them.
        resume: Go on with the run in the folder.
        overwrite: Start anew in a folder that holds a run.
        where: On which devices.
    """
    from lstm_recipes.training.fit import Budget, fit
    from lstm_recipes.training.language_model import LanguageModelTask

    replicas = where.replicas()
    run = replicas.folder(run, resume)
    folder, old = RunFolder(run), None
    if resume:
        stored = folder.resume(asdict(numbers), asdict(CharRNN()))
        numbers = restored(CharRNN, stored, folder / "config.json")
    elif init_from is not None:
        old = TrainedCharLM(init_from)
        size = old.size(asdict(numbers), asdict(CharRNN()))
        numbers = restored(CharRNN, asdict(numbers) | size, old.folder / "config.json")
        old.model  # noqa: B018  loaded before --overwrite may remove it
    numbers.check()
    replicas.check_batch_size(numbers.batch_size)
    budget = Budget(numbers.steps, numbers.epochs, numbers.minutes)
    source = find(text)
    if resume:
        remedy = "give the same --text to resume it, or --init-from to go on with a new one"
        folder.check_data(source.about, remedy)
        if (metrics := folder.finished()) is not None:
            return metrics
        folder.check_begun()
    border = training_length(source.length)
    if resume and (folder / "vocabulary.json").exists():
        vocabulary = Vocabulary.load(folder.require("vocabulary.json"))
    elif old is None:
        vocabulary = Vocabulary.of(source.characters)
    else:
        vocabulary = old.extended(source.characters, add_characters)
    ids = source.ids(vocabulary, folder.nearest)
    streams, validation = Streams(ids.first(border), numbers.batch_size, numbers.time), ids[border:]
    if not resume:
        folder.begin("char-rnn", asdict(numbers), source.about, overwrite, init_from)
    vocabulary.save(folder / "vocabulary.json")
    folder.write_text("validation.txt", vocabulary.decode(validation))
    options = chosen(numbers, "weight_decay clip_norm")
    with replicas.scope():
        model = build(numbers, vocabulary)
        if old is not None:
            old.copy_weights(model)
        task = LanguageModelTask(model, streams, validation, replicas=replicas, **options)
    options = chosen(numbers, "learning_rate warmup validate_every")
    trained = fit(task, folder, budget, replicas=replicas, **options)
    if not replicas.chief:
        return {}  # the chief measures
    return folder.finish(evaluate(run) | trained)


def evaluate(run: Path, /) -> dict[str, Any]:
    """Measure a trained model on the whole validation split, once, in order.

    Args:
        run: The folder that train wrote.
    """
    return TrainedCharLM(run).measure()


def sample(
    run: Path,
    /,
    prompt: str | None = None,
    prompt_file: Path | None = None,
    length: int = 1000,
    temperature: float = 0.8,
    top_k: int | None = None,
    top_p: float | None = None,
    samples: int = 1,
    seed: int | None = None,
    drop_unknown: bool = False,
) -> None:
    """Write text with a trained model, as it comes.

    Args:
        run: The folder that train wrote.
        prompt: What the text begins with; a new line, where the model knows it.
        prompt_file: A UTF-8 file that the text begins with, instead.
        length: Characters to write after the prompt.
        temperature: Below 1 keeps to what is likely, above 1 is wilder; 0 always takes the
            likeliest character.
        top_k: Choose among so many likeliest characters alone.
        top_p: Choose among the likeliest characters that together have this probability.
        samples: How many texts to write.
        seed: The same seed writes the same texts.
        drop_unknown: Leave out characters of the prompt that the model does not know.
    """
    from lstm_recipes.decoding.sampling import make_sampler
    from lstm_recipes.decoding.write import write_texts

    trained = TrainedCharLM(run)
    if prompt_file is not None:
        prompt = read_text(prompt_file)
    ids = trained.encode_prompt(trained.opening if prompt is None else prompt, drop_unknown)
    sampler = make_sampler(temperature, top_k, top_p, seed)
    write_texts(trained.model, trained.vocabulary, ids, length, sampler, samples)


def export(
    run: Path, /, to: Target, out: Path | None = None, int8: bool = False, overwrite: bool = False
) -> dict[str, Any]:
    """Write a trained model for where Keras is not, with its vocabulary and a model card.

    Args:
        run: The folder that train wrote.
        to: "saved-model" for TensorFlow's servers, "litert" for phones, "onnx" for onnxruntime,
            "web" for a browser.
        out: The folder to write; without it export/FORMAT in the run's.
        int8: Make the kernels int8, a quarter of their size; for saved-model and litert.
        overwrite: Replace an export that is there.
    """
    trained = TrainedCharLM(run)
    return export_run(trained.model, trained.folder, to, out, int8=int8, overwrite=overwrite)
