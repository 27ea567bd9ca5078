"""A classifier that is taught by examples: a trained network turns pictures into features, a small head learns yours.

The page gives it pictures of files or a camera. In a terminal:
`python demos/teachable/teachable.py cats=photos/cats dogs=photos/dogs PHOTO ...` (needs Pillow).
"""

import json

import numpy as np

from pyml import Input, Model, Sequential, hub, layers, models, optimizers, program, utils
from pyml.export import export_zip_async

BASE = "mobilenet_v1"
FEATURES = "global_average_pooling2d"  # the layer of the base that gives them
EPOCHS, RATE = 30, 0.001
FIFTH = 5  # of as many examples of a class one is kept for the test
NEIGHBOURS = 5

READ_ME = """model.json and its .bin files are a TensorFlow.js layers-model; labels.json names its outputs.

    import * as tf from "@tensorflow/tfjs";
    const model = await tf.loadLayersModel("model.json");
    const labels = await (await fetch("labels.json")).json();
    const square = tf.image.resizeBilinear(tf.browser.fromPixels(image), [224, 224]);   // values from 0 to 255
    const shares = await model.predict(square.expandDims()).data();
    console.log(labels[shares.indexOf(Math.max(...shares))]);

In Python: model = pyml.saving.load_model("model.json")
"""


class Teachable:
    """Examples by class, and what was learned from them. Classes are numbered; the numbers need not follow each other."""

    def __init__(self, base):
        self.base = base
        self.examples = {}  # number of the example -> (class, features)
        self.next = 0
        self.classes, self.head, self.neighbours, self.judge = [], None, None, None
        self.learned = None  # features and places of classes that the head was trained with
        self.tested = [], []  # places in `classes`, and what the head took them for, of examples that it never learned

    # ---- examples
    async def add(self, number, picture):
        """Adds a picture to a class; returns the example's number."""
        return self.put(number, await self.base.embed(picture).data())

    def put(self, number, features):
        """Adds an example by its features; returns its number."""
        self.examples[self.next] = number, features
        self.next += 1
        return self.next - 1

    def remove(self, example):
        """Forgets an example."""
        self.examples.pop(example, None)

    def of_class(self, number):
        """The features of a class' examples."""
        return [features for owner, features in self.examples.values() if owner == number]

    # ---- learning
    def split(self, classes):
        """`(x, y), (x_test, y_test)`: of five examples of a class, the fifth is kept for the test."""
        learned, tested = [], []
        for place, number in enumerate(classes):
            for i, features in enumerate(self.of_class(number)):
                (tested if i % FIFTH == FIFTH - 1 else learned).append((features, place))
        arrays = lambda pairs: (np.array([f for f, _ in pairs], np.float32), np.array([place for _, place in pairs], np.int32))
        return arrays(learned), arrays(tested)

    async def train(self, names, hear=None, epochs=EPOCHS, rate=RATE):
        """Learns the classes from the examples, as a head of two dense layers and as neighbours.

        Args:
            names: Names of the classes by number.
            hear: A callback of `fit`.
            epochs: Passes over the examples.
            rate: Learning rate.

        Returns:
            Share of the examples kept for the test that the head names right; where there are none, of those that it learned.

        Raises:
            ValueError: There are fewer than two classes, or one has no examples.
        """
        if len(names) < 2:
            raise ValueError("Two classes are the least that can be told apart; add another.")
        empty = [name for number, name in names.items() if not self.of_class(number)]
        if empty:
            raise ValueError(
                f"{' and '.join(empty)} {'has' if len(empty) == 1 else 'have'} no examples yet; add some, or remove the class."
            )
        classes = list(names)
        (x, y), test = self.split(classes)
        utils.set_random_seed(1)
        head = Sequential(
            [
                Input((x.shape[1],)),
                layers.Dense(64, activation="relu", name="learned"),
                layers.Dense(len(classes), activation="softmax", name="classes"),
            ]
        )
        head.compile(optimizer=optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        seen = test if len(test[1]) else None
        await head.fit_async(x, y, batch_size=16, epochs=epochs, validation_data=seen, verbose=0, callbacks=[hear] if hear else None)
        judged, labels = seen or (x, y)
        guesses = (await head.predict_async(judged, verbose=0)).argmax(1)
        self.take(head, classes)
        self.tested = (labels, guesses) if seen else ([], [])
        return float((guesses == labels).mean())

    def take(self, head, classes):
        """Takes a head that was trained for `classes`, and the examples of these as neighbours."""
        neighbours = models.KNNClassifier()
        rows, places = [], []
        for place, number in enumerate(classes):
            for features in self.of_class(number):
                neighbours.add_example(features, place)
                rows.append(features)
                places.append(place)
        self.classes, self.head, self.neighbours = list(classes), head, neighbours
        self.learned = np.array(rows, np.float32), np.array(places, np.int32)
        self.judge = program(lambda features: head(features[None], training=False))  # the features stay on the device

    async def shares(self, picture, by="head"):
        """How likely a picture shows each class: `{number: share}`, by the head or by the nearest examples."""
        if self.head is None:
            raise ValueError("Nothing was learned yet; add examples and train.")
        features = self.base.embed(picture)
        if by == "neighbours":
            found = (await self.neighbours.predict_class_async(features, k=NEIGHBOURS)).confidences
            return {number: float(found.get(i, 0)) for i, number in enumerate(self.classes)}
        row = (await self.judge(features).data())[0]
        return {number: float(share) for number, share in zip(self.classes, row)}

    # ---- taking it away
    def model(self):
        """One model from pictures `(batch, 224, 224, 3)` of values from 0 to 255 to the classes: base and head."""
        if self.head is None:
            raise ValueError("Nothing was learned yet; train before you export.")
        x = layers.Reshape((self.base.features,), name="features")(self.base.keras.get_layer(FEATURES).output)
        for layer in self.head.layers:
            x = layer(x)
        return Model(self.base.keras.input, x, name="teachable")

    async def export_page(self, files, names):
        """A zip file with a page of `files`, texts by their names, and what was learned, which runs with no Python; as bytes.

        The page can learn more: the head goes with its training, and what the base saw in the examples, not their pictures.
        """
        if self.head is None:
            raise ValueError("Nothing was learned yet; train before you export.")
        base, (x, y) = self.base, self.learned

        def embed(pictures):
            return base.embed(pictures)

        facts = {"names": [names[number] for number in self.classes], "labels": y.tolist(), "source": base.source, "licence": base.licence}
        square = np.zeros((1, base.size, base.size, 3), np.float32)
        pages = {**files, "classes.json": json.dumps(facts), "examples.bin": x.astype("<f4").tobytes()}
        head = {"head": (self.head, {"training": True, "batch_sizes": (1, 16)})}
        return await export_zip_async(embed, "teachable", pages, inside="model", others=head, inputs=[square], weights="float16")


async def main(arguments=None):
    import argparse
    from pathlib import Path

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("classes", nargs="+", metavar="NAME=FOLDER or PHOTO", help="folders of examples, then photos to name")
    options = parser.parse_args(arguments)
    folders = dict(item.split("=", 1) for item in options.classes if "=" in item)
    names = dict(enumerate(folders))
    taught = Teachable(getattr(hub, BASE)())
    for number, name in names.items():
        for photo in sorted(Path(folders[name]).iterdir()):
            await taught.add(number, photo)
    print(f"{await taught.train(names):.0%} of {len(taught.examples)} examples are named right.")
    for photo in (item for item in options.classes if "=" not in item):
        found = await taught.shares(photo)
        print(photo, *(f"{names[number]} {share:.0%}" for number, share in found.items()))


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
