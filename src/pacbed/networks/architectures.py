"""The convolutional networks that classify a pattern: a small one for two CPU cores, and Xception. Keras 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import keras
from keras import layers

from pacbed.networks.azimuth import BINS

AZIMUTH = "azimuth"  # the second output of the mistilt network: bins of azimuth, see `pacbed.networks.azimuth`
PROBABILITY = "probability"  # the output of a single network
Outputs = dict[str, keras.KerasTensor]
Architecture = Callable[[keras.KerasTensor, keras.KerasTensor, Mapping[str, int]], Outputs]
"""From both inputs, shapes (batch, y, x, 1) and (batch, 1), and the number of classes of each task, to its outputs."""


def build_network(
    architecture: Architecture, *, input_shape: tuple[int, int], class_counts: Mapping[str, int]
) -> keras.Model:
    """Network from a pattern and a convergence angle to the probability of each class, for one task or several.

    Parameters
    ----------
    architecture : callable
        `compact_outputs` or `xception_outputs`.
    input_shape : tuple of int
        Rows and columns of the pattern, or of its polar map.
    class_counts : mapping
        Number of classes by task.

    Returns
    -------
    keras.Model
        Inputs as in `pacbed.networks.inputs.named_inputs`: ``pattern``, shape (batch, y, x, 1), and ``convergence``,
        shape (batch, 1), both normalised [1]; outputs by task, shape (batch, class), and `AZIMUTH`, shape (batch, bin),
        where a compact network answers for the mistilt; softmax [1].
    """
    pattern = keras.Input((*input_shape, 1), name="pattern")
    convergence = keras.Input((1,), name="convergence")
    outputs = architecture(pattern, convergence, class_counts)
    return keras.Model({"pattern": pattern, "convergence": convergence}, outputs)


def single_network(network: keras.Model, task: str) -> keras.Model:
    """The part of a network that answers for one task, with the layers it needs.

    Parameters
    ----------
    network : keras.Model
        From `build_network`.
    task : str
        Becomes the name of the part.

    Returns
    -------
    keras.Model
        The inputs of `network`; outputs `PROBABILITY`, shape (batch, class), and for the mistilt `AZIMUTH`, if there
        is one.
    """
    outputs = {PROBABILITY: network.output[task]}
    if task == "mistilt" and AZIMUTH in network.output:
        outputs[AZIMUTH] = network.output[AZIMUTH]
    return keras.Model(network.input, outputs, name=task)


def compact_outputs(
    pattern: keras.KerasTensor, convergence: keras.KerasTensor, class_counts: Mapping[str, int]
) -> Outputs:
    """Five convolutions that all tasks share, and a hidden layer for each; 0.3 million weights for a task.

    The input is a polar map: the convolutions are circular along the azimuth, and what is left of it is pooled, mean
    and maximum, while the radius is kept. A turn of the pattern by a multiple of the strides changes nothing.

    Parameters
    ----------
    pattern : KerasTensor, shape (batch, radius, angle, 1)
    convergence : KerasTensor, shape (batch, 1)
    class_counts : mapping
        Number of classes by task.

    Returns
    -------
    dict of KerasTensor
        By task, and `AZIMUTH`.
    """
    x = _convolution(pattern, 24, kernel=5, strides=2)
    x = _convolution(x, 48, strides=2)
    x = _convolution(x, 48)
    x = _convolution(x, 96, strides=2)
    x = _convolution(x, 96)
    _, radii, angles, filters = x.shape
    around = layers.Reshape((angles, radii * filters))(layers.Permute((2, 1, 3))(x))
    pooled = [layers.GlobalAveragePooling1D()(around), layers.GlobalMaxPooling1D()(around), convergence]
    features = layers.Concatenate()(pooled)
    outputs = {
        task: _classifier(layers.Dense(128, activation="relu")(features), task, class_counts[task])
        for task in class_counts
    }
    if "mistilt" in class_counts:
        outputs[AZIMUTH] = _azimuth(around)
    return outputs


def xception_outputs(
    pattern: keras.KerasTensor, convergence: keras.KerasTensor, class_counts: Mapping[str, int]
) -> Outputs:
    """Figure 1 of Oberaigner et al. 2023: Xception, the convergence angle, two layers of 1,024 nodes with dropout.

    Weights are random, because a training downloads nothing; `pacbed.learning.transfer.begin` reads those of ImageNet.

    Parameters
    ----------
    pattern : KerasTensor, shape (batch, y, x, 1)
        At least 71 x 71 pixels.
    convergence : KerasTensor, shape (batch, 1)
    class_counts : mapping
        Number of classes by task.

    Returns
    -------
    dict of KerasTensor
        By task.
    """
    pixels = pattern.shape[1]
    colours = layers.Concatenate()([pattern, pattern, pattern])
    body = keras.applications.Xception(include_top=False, weights=None, input_shape=(pixels, pixels, 3), pooling="avg")
    x = layers.Concatenate()([body(colours), convergence])
    for _ in range(2):
        x = layers.Dense(1024, activation="relu")(x)
        x = layers.Dropout(0.2)(x)
    return {task: _classifier(x, task, count) for task, count in class_counts.items()}


def layers_of(network: keras.Model) -> Iterator[keras.Layer]:
    """All layers of a network in the order of its graph, those of networks inside it in their place."""
    for layer in network.layers:
        yield from layers_of(layer) if isinstance(layer, keras.Model) else (layer,)


def _classifier(features: keras.KerasTensor, task: str, count: int) -> keras.KerasTensor:
    return layers.Dense(count, activation="softmax", name=task)(features)


def _azimuth(around: keras.KerasTensor) -> keras.KerasTensor:
    """Bins of azimuth from features (batch, angle, feature): one layer looks along every angle and tells its bins."""
    x = layers.Dense(64, activation="relu")(around)
    x = layers.Dense(BINS // around.shape[1])(x)
    return layers.Softmax(name=AZIMUTH)(layers.Flatten()(x))


def _convolution(x: keras.KerasTensor, filters: int, *, kernel: int = 3, strides: int = 1) -> keras.KerasTensor:
    x = _padded(x, kernel - strides)
    x = layers.Conv2D(filters, kernel, strides=strides, use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)


def _padded(x: keras.KerasTensor, count: int) -> keras.KerasTensor:
    """Zeros along the radius, the other end of the circle along the azimuth; `count` of them in all."""
    before, after = count // 2, count - count // 2
    width = x.shape[2]
    ends = [layers.Cropping2D(((0, 0), (width - before, 0)))(x)] if before else []
    x = layers.Concatenate(axis=2)([*ends, x, layers.Cropping2D(((0, 0), (0, width - after)))(x)])
    return layers.ZeroPadding2D(((before, after), (0, 0)))(x)
