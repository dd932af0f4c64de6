"""SavedModel: TensorFlow's own format, which runs without Keras and without this package."""

import os
from collections.abc import Sequence

import keras
import tensorflow as tf

from lstm_recipes.export.in_float32 import in_float32
from lstm_recipes.export.signatures import Signature, signatures_of
from lstm_recipes.export.written_whole import written_whole


def to_saved_model(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    signatures: Sequence[Signature] | None = None,
    overwrite: bool = False,
) -> list[Signature]:
    """Write a model as a SavedModel, with a named signature for each thing that it does.

    Batches and times are of any size. Under a mixed policy the model is written in float32.

    Args:
        model: Any functional or Sequential one; masks and states of whatever kind.
        path: The folder.
        signatures: Other functions than `signatures_of` finds, all of this model.
        overwrite: Whether a SavedModel that is there may be replaced.

    Returns:
        What was written. The first one is the serving default too.

    Raises:
        UserError: The model cannot leave (`signatures.check`), or the folder is there.

    >>> import tempfile
    >>> from lstm_recipes.models.char_lm import char_lm
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = to_saved_model(char_lm(65, units=8), folder + "/model")
    ...     step = tf.saved_model.load(folder + "/model").signatures["step"]
    ...     zero = tf.zeros((2, 8))
    ...     found = step(tokens=tf.constant([1, 2]), state_0=zero, state_1=zero)
    >>> found["output"].shape
    TensorShape([2, 65])
    """
    if signatures is None:
        model = in_float32(model)
        signatures = signatures_of(model)
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    graphs = {signature.name: signature.traced() for signature in signatures}
    graphs["serving_default"] = graphs[signatures[0].name]
    with written_whole(path, overwrite, "saved_model.pb") as folder:
        tf.saved_model.save(module, str(folder), signatures=graphs)
    return list(signatures)
