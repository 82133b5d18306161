"""The networks: a small convolutional one for two CPU cores, and the paper's Xception. Keras 3, any backend."""

from __future__ import annotations

import keras
from keras import layers

from pacbed.errors import bad_value

RECIPES = ("compact", "paper")


def build_network(recipe: str, *, task: str, pixels: int, classes: int) -> keras.Model:
    """Network from a pattern and a convergence angle to the probability of each class.

    Parameters
    ----------
    recipe : {"compact", "paper"}
        compact: about 0.2 million weights; paper: Xception without pretrained weights, 25 million.
    task : str
        Becomes the network's name.
    pixels : int
        Edge of the pattern.
    classes : int
        Number of classes.

    Returns
    -------
    keras.Model
        Inputs ``pattern`` (batch, pixels, pixels, 1) from `network_input` and ``convergence`` (batch, 1) from
        `convergence_input`; output ``probability`` (batch, classes).
    """
    if recipe not in RECIPES:
        raise bad_value("recipe", recipe, f"one of {', '.join(RECIPES)}")
    pattern = keras.Input((pixels, pixels, 1), name="pattern")
    convergence = keras.Input((1,), name="convergence")
    head = _compact if recipe == "compact" else _paper
    features = head(pattern, convergence)
    probability = layers.Dense(classes, activation="softmax", name="probability")(features)
    return keras.Model({"pattern": pattern, "convergence": convergence}, probability, name=task)


def _convolution(x: keras.KerasTensor, filters: int, *, kernel: int = 3, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)


def _compact(pattern: keras.KerasTensor, convergence: keras.KerasTensor) -> keras.KerasTensor:
    """Strided convolutions: most of the arithmetic happens on 16 x 16 pixels and below."""
    x = _convolution(pattern, 16, kernel=5, strides=2)
    x = _convolution(x, 32, strides=2)
    x = _convolution(x, 32)
    x = _convolution(x, 64, strides=2)
    x = _convolution(x, 64)
    x = _convolution(x, 128, strides=2)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), convergence])
    return layers.Dense(128, activation="relu")(x)


def _paper(pattern: keras.KerasTensor, convergence: keras.KerasTensor) -> keras.KerasTensor:
    """Oberaigner et al. 2023, figure 1: Xception, convergence angle, two layers of 1,024 nodes."""
    pixels = pattern.shape[1]
    colours = layers.Concatenate()([pattern, pattern, pattern])
    body = keras.applications.Xception(include_top=False, weights=None, input_shape=(pixels, pixels, 3), pooling="avg")
    x = layers.Concatenate()([body(colours), convergence])
    for _ in range(2):
        x = layers.Dense(1024, activation="relu")(x)
        x = layers.Dropout(0.2)(x)
    return x
