"""`pyml.browser` in Chromium: the same bytes as TensorFlow.js for every kind of picture, on the page and in a worker."""

from pathlib import Path

import pytest

from .python_page import PythonPage

TFJS = Path(__file__).parents[1] / "build" / "bench" / "node_modules" / "@tensorflow" / "tfjs" / "dist" / "tf.min.js"

# Pictures of 7x5 pixels with every alpha, as each kind of source.
PICTURES = """async () => {
  const [width, height] = [7, 5];
  const data = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) => (i * 89 + (i >> 2) * 31) % 256);
  const imageData = new ImageData(data, width, height);
  const solid = new ImageData(data.map((v, i) => (i % 4 === 3 ? 255 : v)), width, height);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(imageData, 0, 0);
  const offscreen = new OffscreenCanvas(width, height);
  offscreen.getContext("2d").putImageData(imageData, 0, 0);
  const address = canvas.toDataURL();
  const loaded = async (image) => { image.src = address; await image.decode(); return image; };
  const large = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
  const pen = large.getContext("2d");
  pen.fillStyle = "rgb(200, 60, 20)";
  pen.fillRect(0, 0, 40, 48);
  const video = Object.assign(document.createElement("video"), { muted: true, srcObject: large.captureStream() });
  await video.play();
  window.pictures = {
    imageData, canvas, offscreen, video,
    image: await loaded(new Image()),
    scaled: await loaded(new Image(11, 3)),
    bitmap: await createImageBitmap(imageData),
    unmultiplied: await createImageBitmap(imageData, { premultiplyAlpha: "none" }),
    plain: { data: new Uint8Array(data), width, height },
  };
  window.frame = new VideoFrame(await createImageBitmap(solid), { timestamp: 0 });
  window.exact = { imageData: [...data], frame: [...solid.data] };
  window.wrong = {
    closed: (() => { const frame = new VideoFrame(large, { timestamp: 0 }); frame.close(); return frame; })(),
    empty: document.createElement("canvas"), early: document.createElement("video"), text: document.body,
    broken: Object.assign(new Image(), { src: "data:image/png;base64,AAAA" }),
    short: { data: new Uint8Array(3), width: 1, height: 1 },
  };
  Object.assign(window.wrong.empty, { width: 0 });
  await window.wrong.broken.decode().catch(() => {});
}"""


@pytest.fixture(scope="module")
def main_thread(browser, site):
    """Python on the page's own thread, with pictures beside it."""
    context = browser.new_context()
    python = PythonPage(context.new_page(), site, "backend=cpu&thread=main")
    python.page.evaluate(PICTURES)
    python.run("""
        import js, numpy as np, pyml
        def refused(call):
            try:
                call()
            except Exception as error:
                return [type(error).__name__, str(error)]
        1
    """)
    yield python
    context.close()


@pytest.fixture(scope="module")
def tensorflow(main_thread):
    """TensorFlow.js on the same page."""
    if not TFJS.exists():
        pytest.skip("TensorFlow.js is not installed; `benchmarks/run.sh` installs it")
    main_thread.page.add_script_tag(path=str(TFJS))
    main_thread.page.evaluate("async () => { await tf.setBackend('cpu'); await tf.ready(); }")
    return main_thread.page


KINDS = ["imageData", "canvas", "offscreen", "image", "scaled", "bitmap", "unmultiplied", "plain", "video"]


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_those_of_tensorflow_js(main_thread, tensorflow, kind):
    for channels in (1, 3, 4):
        theirs = tensorflow.evaluate(
            """([kind, channels]) => {
              const t = tf.browser.fromPixels(pictures[kind], channels);
              return [t.shape, [...t.dataSync()]];
            }""",
            [kind, channels],
        )
        ours = main_thread.run(f"""
            t = pyml.browser.from_pixels(js.pictures.{kind}, {channels})
            [list(t.shape), t.numpy().ravel().tolist()]
        """)
        assert ours == theirs
        assert len(set(ours[1])) > 1


def test_bytes_of_image_data_and_video_frames_come_exact(main_thread):
    ours = main_thread.run("""
        {"imageData": pyml.browser.from_pixels(js.pictures.imageData, 4).numpy().ravel().tolist(),
         "frame": pyml.browser.from_pixels(js.frame, 4).numpy().ravel().tolist()}
    """.replace("\n         ", " "))
    assert ours == main_thread.page.evaluate("exact")


def test_tensors_are_drawn_as_tensorflow_js_draws_them(main_thread, tensorflow):
    theirs = tensorflow.evaluate("""async () => {
        const values = Array.from({ length: 24 }, (_, i) => i / 23);
        const bytes = async (t) => [...await tf.browser.toPixels(t)];
        return [await bytes(tf.tensor(values, [4, 6])), await bytes(tf.tensor(values, [2, 4, 3])),
                await bytes(tf.tensor(values, [2, 3, 4])), await bytes(tf.tensor(values.map((v) => 200 * v), [8, 3, 1], "int32"))];
    }""")
    ours = main_thread.run("""
        values = np.arange(24) / np.float32(23)
        shapes = [(4, 6), (2, 4, 3), (2, 3, 4)]
        floats = [pyml.browser.to_pixels(pyml.convert_to_tensor(values.reshape(s).astype("float32"))) for s in shapes]
        grey = pyml.browser.to_pixels((200 * np.arange(24) / 23).astype("int32").reshape(8, 3, 1))
        [p.ravel().tolist() for p in (*floats, grey)]
    """)
    assert ours == theirs


def test_a_tensor_drawn_on_a_canvas_comes_back(main_thread):
    assert main_thread.run("""
        canvas = js.document.createElement("canvas")
        picture = np.random.default_rng(0).integers(0, 256, (4, 3, 3))
        await pyml.browser.to_pixels_async(pyml.convert_to_tensor(picture.astype("float32") / 255), canvas)
        [canvas.width, canvas.height, bool((pyml.browser.from_pixels(canvas).numpy() == picture).all())]
    """) == [3, 4, True]


@pytest.mark.parametrize(
    "source, error",
    [
        ("closed", ["ValueError", "from_pixels: the picture was closed"]),
        ("empty", ["ShapeError", "from_pixels: the picture has no pixels: its size is 0x150."]),
        ("early", ["ValueError", "from_pixels: the video has no frame yet"]),
        ("text", ["TypeError", "Received a JavaScript HTMLBodyElement."]),
        ("broken", ["ValueError", "from_pixels: the image could not be loaded."]),
        ("short", ["ShapeError", "needs 4 bytes, four for each pixel. Received 3"]),
    ],
)
def test_what_is_no_picture_is_refused(main_thread, source, error):
    kind, message = main_thread.run(f"refused(lambda: pyml.browser.from_pixels(js.wrong.{source}))")
    assert kind == error[0] and error[1] in message


def test_a_picture_of_another_site_is_refused_and_the_next_one_read(main_thread):
    main_thread.page.evaluate("""async () => {
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><foreignObject width="9" height="9">
            <p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject></svg>`;
        const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
        window.foreign = Object.assign(new Image(), { src: address });
        await window.foreign.decode();
    }""")
    kind, message = main_thread.run("refused(lambda: pyml.browser.from_pixels(js.foreign))")
    assert kind == "PermissionError" and "does not allow it to be read" in message
    assert main_thread.run("list(pyml.browser.from_pixels(js.pictures.image).shape)") == [5, 7, 3]


def test_a_canvas_used_by_others_cannot_be_drawn_on(main_thread):
    main_thread.page.evaluate("() => { window.busy = new OffscreenCanvas(2, 2); busy.getContext('bitmaprenderer'); }")
    kind, message = main_thread.run("refused(lambda: pyml.browser.to_pixels(np.ones((2, 2)), js.busy))")
    assert kind == "ValueError" and "cannot be drawn on" in message
    assert main_thread.run("refused(lambda: pyml.browser.to_pixels(np.ones((2, 2)), js.document.body))")[0] == "TypeError"


def test_a_worker_reads_and_draws_all_it_can_have(browser, site):
    context = browser.new_context()
    try:
        python = PythonPage(context.new_page(), site, "backend=cpu")
        assert python.run("""
            import numpy as np, pyml
            from js import ImageData, OffscreenCanvas, VideoFrame, createImageBitmap
            from pyodide.ffi import to_js
            picture = np.random.default_rng(1).integers(0, 256, (4, 6, 3)).astype("int32")
            canvas = OffscreenCanvas.new(1, 1)
            pyml.browser.to_pixels(picture, canvas)
            bitmap = await createImageBitmap(canvas)
            data = canvas.getContext("2d").getImageData(0, 0, 6, 4)
            frame = VideoFrame.new(bitmap, timestamp=0)
            same = [bool((pyml.browser.from_pixels(s).numpy() == picture).all()) for s in (canvas, bitmap, data, frame)]
            frame.close()
            bitmap.close()
            same
        """) == [True] * 4
    finally:
        context.close()
