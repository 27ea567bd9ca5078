"""Datasets and KNNClassifier in Chromium: addresses, blobs, waiting with and without JSPI, training, prediction."""

import pytest

ROWS = "x,y\n" + "".join(f"{i % 9},{2 * (i % 9) + 1}\n" for i in range(5000))


@pytest.fixture(scope="module", params=["backend=wasm", "backend=wasm&thread=main&jspi=off"])
def python(pythons, request):
    """Python in a worker that can wait, and on the page where nothing can."""
    python = pythons(request.param)
    python.page.route("**/line.csv", lambda route: route.fulfill(body=ROWS, content_type="text/csv"))
    python.waits = "jspi" not in request.param
    python.run("""
        import numpy as np, pyml, js
        from pyml.data import Dataset, csv, TextLineDataset
        def refused(call):
            try:
                call()
            except Exception as error:
                return [type(error).__name__, str(error)]
        address = str(js.location.origin) + "/line.csv"
        1
    """)
    yield python
    python.page.unroute_all()


def test_files_of_an_address_are_streamed(python):
    assert python.run("[r['y'].item() async for r in csv(address).take(2)]") == [1, 3]
    assert python.run("len([line async for line in TextLineDataset(address)])") == 5001
    kind, message = python.run("refused(lambda: list(csv(address).take(1)))") or ["none", ""]
    assert kind == ("none" if python.waits else "SyncReadError")
    assert python.waits or "async for element in dataset" in message


def test_an_address_without_a_file_is_refused(python):
    python.page.route("**/none.csv", lambda route: route.fulfill(status=404, body="no"))
    python.run("""
        async def failed(source):
            try:
                async for _ in csv(source):
                    pass
            except OSError as error:
                return str(error)
        1
    """)
    assert "none.csv: the server answered 404" in python.run("await failed('/none.csv')")


def test_blobs_and_typed_arrays_are_sources(python):
    assert python.run("""
        from pyodide.ffi import to_js
        blob = js.Blob.new(to_js(["one\\ntwo\\n"]))
        parts = pyml.data.FileDataSource(blob, chunk_size=3), js.Uint8Array.new(to_js([97, 10, 98]))
        [[line async for line in TextLineDataset(part)] for part in parts]
    """) == [["one", "two"], ["a", "b"]]


def test_a_csv_from_an_address_trains_while_the_page_lives(python):
    losses = python.run("""
        lines = csv(address, column_configs={"y": {"is_label": True}})
        batches = lines.map(lambda x, y: ([x["x"] / 9], [y["y"] / 9])).shuffle(500, seed=1).batch(50).prefetch(4)
        model = pyml.Sequential([pyml.Input((1,)), pyml.layers.Dense(1)])
        model.compile(optimizer=pyml.optimizers.Adam(0.05), loss="mse")
        history = await model.fit_async(batches, epochs=2, verbose=0)
        history.history["loss"]
    """)
    assert losses[1] < losses[0] / 10


def test_a_seeded_order_is_that_of_the_desktop(python):
    assert python.run("list(Dataset.range(10).shuffle(4, seed=7))") == [2, 0, 3, 1, 4, 7, 8, 5, 6, 9]


def test_the_nearest_examples_vote_in_the_page(python):
    assert python.run("""
        knn = pyml.models.KNNClassifier()
        for angle in range(0, 360, 5):
            knn.add_example(np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]), "north" if angle < 180 else "south")
        found = await knn.predict_class_async([0.5, -1.0], k=5)
        await knn.save_async("compass.knn")
        again = await pyml.models.KNNClassifier.load("compass.knn").predict_class_async([-0.5, 1.0])
        [found.label, found.class_index, found.confidences, again.label]
    """) == ["south", 1, {"north": 0, "south": 1}, "north"]
