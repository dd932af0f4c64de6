"""What of an LSTM fits in two megabytes, and how long one step of it takes."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.errors import UserError
from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.layers import ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHARACTERS, EMBEDDING = 65, 64
BYTES, MILLISECONDS = 2_000_000, 20.0
SMALLER = (128, 256, 512)
STEPS = 2_000


def int8_file(function: Callable[..., Any], inputs: dict[str, tf.TensorSpec]) -> bytes:
    """Anyone's function as a LiteRT file whose matrices are int8, a scale a column.

    Args:
        function: Takes tensors by name, and gives some by name; its weights are constants.
        inputs: The tensors' shapes and dtypes.

    >>> matrix = tf.constant(np.eye(200, dtype="float32"))
    >>> spec = tf.TensorSpec([1, 200], "float32")
    >>> content = int8_file(lambda x: {"y": x @ matrix}, {"x": spec})
    >>> 40_000 < len(content) < 50_000  # and not 160,000
    True
    """
    graph = tf.function(lambda **given: function(**given), autograph=False)
    named = {name: tf.TensorSpec(s.shape, s.dtype, name=name) for name, s in inputs.items()}
    concrete = graph.get_concrete_function(**named)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def step_milliseconds(content: bytes, carried: dict[str, str], steps: int) -> np.ndarray:
    """How long each of some streaming steps of a LiteRT file takes, on one thread.

    Args:
        content: The file.
        carried: By input, the output that it gets at the next step; other inputs stay zero.
        steps: How many, after ten that are not timed.

    Returns:
        float ``[steps]``.

    Raises:
        UserError: LiteRT is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise UserError('this needs LiteRT; pip install "lstm-recipes[litert]"') from None
    runner = Interpreter(model_content=content, num_threads=1).get_signature_runner()
    given = {
        name: np.zeros(details["shape"], details["dtype"])
        for name, details in runner.get_input_details().items()
    }
    found = []
    for _ in range(steps + 10):
        began = time.perf_counter()
        outputs = runner(**given)
        found.append(1000 * (time.perf_counter() - began))
        given |= {name: outputs[output] for name, output in carried.items()}
    return np.array(found[10:])


def character_model(units: int) -> tuple[int, bytes]:
    """How many weights an untrained model of characters has, and its step as a file."""
    keras.utils.set_random_seed(0)
    embedding = keras.layers.Embedding(CHARACTERS, EMBEDDING)
    lstm, head = ForgetGateLSTM(units), keras.layers.Dense(CHARACTERS)
    head(lstm(embedding(tf.zeros((1, 1), "int32"))))  # they get their weights
    parts = (embedding, lstm, head)
    constants = [(v, tf.constant(v.numpy())) for part in parts for v in part.variables]

    def step(token: Any, h: Any, c: Any) -> dict[str, Any]:
        with keras.StatelessScope(constants):
            output, (h, c) = lstm.cell(embedding(token), [h, c])
            return {"logits": head(output), "next_h": h, "next_c": c}

    state = tf.TensorSpec([1, units], "float32")
    content = int8_file(step, {"token": tf.TensorSpec([1], "int32"), "h": state, "c": state})
    return sum(part.count_params() for part in parts), content


def largest(most: int, low: int, high: int, size: Callable[[int], int]) -> int:
    """The largest number from ``low`` to below ``high`` whose size is at most ``most``.

    >>> largest(50, 1, 100, lambda n: n * n)
    7
    """
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= most else (low, middle)
    return low


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """By units: weights, bytes, and the quantiles of a step's milliseconds."""
    most = part(
        "most units", lambda: largest(BYTES, 600, 728, lambda n: len(character_model(n)[1]))
    )

    def one(units: int) -> dict[str, Any]:
        weights, content = character_model(units)
        took = step_milliseconds(content, {"h": "next_h", "c": "next_c"}, STEPS)
        low, middle, high = np.quantile(took, [0.25, 0.5, 0.99]).tolist()
        return {"weights": weights, "bytes": len(content)} | {
            "low": low,
            "median": middle,
            "99 %": high,
        }

    sizes = [*(units for units in SMALLER if units < most), most]
    return {
        "sizes": {str(units): part(f"{units} units", lambda u=units: one(u)) for units in sizes}
    }


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """Of the largest model in 2,000,000 bytes: it holds if 99 of 100 steps take less than 20 ms; in
    part if the median step does."""
    units, one = [*numbers["sizes"].items()][-1]
    said = (
        f"{units} units, {one['weights'] / 1e6:.2f} M weights, {one['bytes'] / 1e6:.3f} MB in "
        f"int8: a step takes {one['median']:.3f} ms, 99 of 100 less than {one['99 %']:.3f} ms, on "
        "one thread"
    )
    if one["bytes"] > BYTES or one["median"] >= MILLISECONDS:
        return said, "does not hold"
    return said, "holds" if one["99 %"] < MILLISECONDS else "holds in part"


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Milliseconds a step against the file's megabytes."""
    axes = figure.subplots()
    rows = [*numbers["sizes"].values()]
    megabytes = [row["bytes"] / 1e6 for row in rows]
    axes.plot(megabytes, [row["median"] for row in rows], marker="o", label="median step")
    axes.plot(megabytes, [row["99 %"] for row in rows], marker="s", label="99 of 100 are below")
    for units, x, row in zip(numbers["sizes"], megabytes, rows, strict=True):
        where = {"xytext": (0, -14), "textcoords": "offset points", "ha": "center"}
        axes.annotate(f"{units} units", (x, row["median"]), fontsize=9, **where)
    axes.axhline(MILLISECONDS, color="k", linestyle="--", linewidth=1)
    axes.axvline(BYTES / 1e6, color="k", linestyle="--", linewidth=1)
    lowest = min(row["median"] for row in rows)
    axes.set(yscale="log", ylim=(lowest / 4, 3 * MILLISECONDS), xlim=(-0.1, 2.2))
    axes.set(xlabel="megabytes, int8 (dashed: 2 MB)", ylabel="milliseconds (dashed: 20)")
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(0.0, 0.72))


TWO_MEGABYTES = Argument(
    says="An LSTM that writes text fits in 2 MB and takes less than 20 ms a step, on one thread",
    source="said on the web",
    minutes=3,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Milliseconds of a step against the file's megabytes, for models of 128 units to as many "
    "as 2 MB hold, beside the two limits",
)
