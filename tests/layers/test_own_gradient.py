"""Functions with gradients of their own: the gradient, and that nothing of a graph is left."""

import gc
import weakref

import keras
import numpy as np
import pytest

from lstm_recipes.layers import CRF, ForgetGateLSTM
from lstm_recipes.layers.own_gradient import own_gradient

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="it is TensorFlow that keeps the graphs"
)


@own_gradient
def cube(x):
    return x**3, lambda upstream: 7.0 * upstream  # wrong, so that it is seen to be this one


def cubed(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(cube(x))
    return tape.gradient(total, x)


def a_layer():
    layer = ForgetGateLSTM(2)
    return lambda x: of_weights(layer, lambda: layer(x, training=True))


def a_chain():
    layer = CRF()
    return lambda x: of_weights(layer, lambda: layer.loss(tf.zeros(x.shape[:2], "int32"), layer(x)))


def of_weights(layer, function):
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(function())
    return tape.gradient(total, layer.trainable_weights)


def an_optimizer():
    """Keras sums the gradients of all replicas, by a function with a gradient of its own."""
    from lstm_recipes.training.replicas import Replicas

    optimizer, weight = keras.optimizers.SGD(), keras.Variable(1.0)
    optimizer.build([weight])

    def step(x):
        Replicas().apply(optimizer, [tf.reduce_sum(x)], [weight], tf.constant(0.1))
        return weight.value

    return step


@pytest.mark.parametrize("made", [lambda: cubed, a_layer, a_chain, an_optimizer])
def test_a_graph_that_nobody_has_is_gone(made):
    function, x = made(), tf.ones((2, 5, 3))
    function(x)  # the weights are made
    gc.collect()
    known = set(gradients())
    graph = graph_of(function, x)
    gc.collect()
    assert graph() is None
    assert set(gradients()) == known


def graph_of(function, x):
    """Of a function that is traced, run and forgotten."""
    traced = tf.function(function)
    traced(x)
    return weakref.ref(traced.get_concrete_function(x).graph)


def gradients():
    """Names of those that TensorFlow has."""
    from tensorflow.python.framework import ops

    return ops.gradient_registry._registry


def test_the_gradient_is_the_one_given():
    x = tf.constant([1.0, 2.0])
    np.testing.assert_array_equal(cubed(x), [7.0, 7.0])
    np.testing.assert_array_equal(tf.function(cubed)(x), [7.0, 7.0])
    np.testing.assert_array_equal(tf.function(cubed, jit_compile=True)(x), [7.0, 7.0])


def test_a_gradient_is_there_as_long_as_its_graph():
    """A graph whose gradient is asked for when the function that made it has long returned."""

    @tf.function
    def forward(x):
        return cube(x)

    x = tf.constant([1.0, 2.0])
    forward(x)
    gc.collect()
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(forward(x))
    np.testing.assert_array_equal(tape.gradient(total, x), [7.0, 7.0])


def test_in_a_loop():
    """There the graph of the loop's body has it."""

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            _, y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, cube(y)), (0, x))
        return tape.gradient(y, x)

    x = tf.constant([0.5])
    np.testing.assert_array_equal(gradient(x), [343.0])
    gc.collect()
    np.testing.assert_array_equal(gradient(tf.constant([0.5])), [343.0])


def test_a_saved_function_is_differentiable(tmp_path):
    module = tf.Module()
    module.f = tf.function(cube, input_signature=[tf.TensorSpec([None])])
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
    tf.saved_model.save(module, str(tmp_path), options=options)
    del module
    gc.collect()
    loaded, x = tf.saved_model.load(str(tmp_path)), tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = loaded.f(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [7.0, 7.0])
