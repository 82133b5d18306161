"""The convolutional networks that classify a pattern: a small one for two CPU cores, and Xception. Keras 3."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

Architecture = Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]
"""From both inputs, shapes (batch, y, x, 1) and (batch, 1), to what the classes are told from, (batch, feature)."""


def build_network(architecture: Architecture, *, task: str, pixels: int, class_count: int) -> keras.Model:
    """Network from a pattern and a convergence angle to the probability of each class.

    Parameters
    ----------
    architecture : callable
        `compact_features` or `xception_features`; a softmax classifier follows.
    task : str
        Becomes the network's name.
    pixels : int
        Edge of the pattern [pixels].
    class_count : int
        Number of classes.

    Returns
    -------
    keras.Model
        Inputs as in `pacbed.networks.inputs.named_inputs`: ``pattern``, shape (batch, y, x, 1), and ``convergence``,
        shape (batch, 1), both normalised [1]; output ``probability``, shape (batch, class), [1].
    """
    pattern = keras.Input((pixels, pixels, 1), name="pattern")
    convergence = keras.Input((1,), name="convergence")
    features = architecture(pattern, convergence)
    probability = layers.Dense(class_count, activation="softmax", name="probability")(features)
    return keras.Model({"pattern": pattern, "convergence": convergence}, probability, name=task)


def compact_features(pattern: keras.KerasTensor, convergence: keras.KerasTensor) -> keras.KerasTensor:
    """Six convolutions of 0.2 million weights; most of the arithmetic happens on 16 x 16 pixels and below.

    Parameters
    ----------
    pattern : KerasTensor, shape (batch, y, x, 1)
    convergence : KerasTensor, shape (batch, 1)

    Returns
    -------
    KerasTensor, shape (batch, 128)
    """
    x = _convolution(pattern, 16, kernel=5, strides=2)
    x = _convolution(x, 32, strides=2)
    x = _convolution(x, 32)
    x = _convolution(x, 64, strides=2)
    x = _convolution(x, 64)
    x = _convolution(x, 128, strides=2)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), convergence])
    return layers.Dense(128, activation="relu")(x)


def xception_features(pattern: keras.KerasTensor, convergence: keras.KerasTensor) -> keras.KerasTensor:
    """Figure 1 of Oberaigner et al. 2023: Xception, the convergence angle, two layers of 1,024 nodes with dropout.

    The paper starts from weights trained on ImageNet; here they are random, because a training downloads nothing.

    Parameters
    ----------
    pattern : KerasTensor, shape (batch, y, x, 1)
        At least 71 x 71 pixels.
    convergence : KerasTensor, shape (batch, 1)

    Returns
    -------
    KerasTensor, shape (batch, 1024)
    """
    pixels = pattern.shape[1]
    colours = layers.Concatenate()([pattern, pattern, pattern])
    body = keras.applications.Xception(include_top=False, weights=None, input_shape=(pixels, pixels, 3), pooling="avg")
    x = layers.Concatenate()([body(colours), convergence])
    for _ in range(2):
        x = layers.Dense(1024, activation="relu")(x)
        x = layers.Dropout(0.2)(x)
    return x


def _convolution(x: keras.KerasTensor, filters: int, *, kernel: int = 3, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)
