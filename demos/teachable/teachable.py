"""A classifier that is taught by examples: a trained network turns pictures into features, a small head learns yours.

The page gives it pictures of files or a camera. In a terminal:
`python demos/teachable/teachable.py cats=photos/cats dogs=photos/dogs PHOTO ...` (needs Pillow).
"""

import io
import json
import os
import tempfile
import zipfile

import numpy as np

from pyml import Input, Model, Sequential, hub, layers, models, optimizers, program, saving, utils
from pyml.export import export_zip_async

BASE = "mobilenet_v1"
FEATURES = "global_average_pooling2d"  # the layer of the base that gives them
EPOCHS = 30
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
    async def train(self, names, hear=None):
        """Learns the classes from all examples, as a head of two dense layers and as neighbours.

        Args:
            names: Names of the classes by number.
            hear: A callback of `fit`.

        Returns:
            Share of the examples that the head names right.

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
        x = np.stack([f for number in classes for f in self.of_class(number)])
        y = np.repeat(np.arange(len(classes), dtype=np.int32), [len(self.of_class(number)) for number in classes])
        utils.set_random_seed(1)
        head = Sequential(
            [
                Input((x.shape[1],)),
                layers.Dense(64, activation="relu", name="learned"),
                layers.Dense(len(classes), activation="softmax", name="classes"),
            ]
        )
        head.compile(optimizer=optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        await head.fit_async(x, y, batch_size=16, epochs=EPOCHS, verbose=0, callbacks=[hear] if hear else None)
        neighbours = models.KNNClassifier()
        for features, label in zip(x, y):
            neighbours.add_example(features, int(label))
        self.classes, self.head, self.neighbours, self.learned = classes, head, neighbours, (x, y)
        self.judge = program(lambda features: head(features[None], training=False))  # the features stay on the device
        return float(((await head.predict_async(x, verbose=0)).argmax(1) == y).mean())

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

    async def export(self, names):
        """A zip file with the model for TensorFlow.js, as bytes."""
        model = self.model()
        packed = io.BytesIO()
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            await saving.save_model_async(model, f"{folder}/model.json", quantize="float16")
            for name in sorted(os.listdir(folder)):
                archive.write(f"{folder}/{name}", name)
            archive.writestr("labels.json", json.dumps([names[number] for number in self.classes]))
            archive.writestr("README.txt", READ_ME)
        return packed.getvalue()


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
