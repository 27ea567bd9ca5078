"""`pyml.browser` in Chromium: the same bytes as TensorFlow.js for every kind of picture, on every device, on the page and
in a worker; on WebGPU without their passing through Python.

The adapter here is software, where pyml takes pictures as numpy arrays unless it is told to copy them."""

import pytest

from pyml.assets import tensorflow_js
from pyml.cli import browser as browsers

from .python_page import PythonPage

BACKENDS = ["cpu", "wasm", "webgpu"]
# Canvases and videos on the software GPU too, as they are on machines that have one.
ACCELERATED = ("--use-vulkan=swiftshader", "--use-angle=swiftshader", "--enable-features=Vulkan", "--ignore-gpu-blocklist")

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
  const every = new ImageData(256, 256);               // each value of a colour with each alpha
  every.data.forEach((_, i, all) => { all[i] = [i >> 2, ~(i >> 2), (i >> 2) * 7 + (i >> 10), i >> 10][i % 4]; });
  const opaque = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
  opaque.getContext("2d", { alpha: false }).drawImage(large, 5, 5);
  const drawing = document.createElement("canvas").getContext("webgl", { alpha: false });
  drawing.clearColor(0.3, 0.6, 0.9, 1);
  drawing.clear(drawing.COLOR_BUFFER_BIT);
  window.pictures = {
    imageData, canvas, offscreen, video, opaque, every, bitmapOfEvery: await createImageBitmap(every),
    image: await loaded(new Image()),
    scaled: await loaded(new Image(11, 3)),
    bitmap: await createImageBitmap(imageData),
    unmultiplied: await createImageBitmap(imageData, { premultiplyAlpha: "none" }),
    plain: { data: new Uint8Array(data), width, height },
  };
  window.frame = new VideoFrame(await createImageBitmap(solid), { timestamp: 0 });
  let seed = 1;
  const noise = Uint8Array.from({ length: 64 * 48 * 3 }, () => (seed = (seed * 1103515245 + 12345) >>> 0) >>> 16);
  const film = (format, more) => new VideoFrame(noise, { format, codedWidth: 64, codedHeight: 48, timestamp: 0, ...more });
  const sdr = { matrix: "bt709", primaries: "bt709", transfer: "bt709", fullRange: false };
  window.films = {
    I420: film("I420"), I444: film("I444"), NV12: film("NV12"), I420A: film("I420A"), bt709: film("I420", { colorSpace: sdr }),
    stretched: film("I420", { displayWidth: 96, displayHeight: 48 }), webgl: drawing.canvas,
    cut: film("NV12", { visibleRect: { x: 8, y: 4, width: 32, height: 40 } }),
  };
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


COUNTED = """() => {
  window.counts = { read: 0, made: 0, more: 0 };        // more textures than there were
  for (const type of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
    const { getImageData } = type.prototype;
    type.prototype.getImageData = function (...at) { counts.read += 1; return getImageData.apply(this, at); };
  }
  const { createTexture } = GPUDevice.prototype, { destroy } = GPUTexture.prototype;
  GPUDevice.prototype.createTexture = function (what) { counts.made += 1; counts.more += 1; return createTexture.call(this, what); };
  GPUTexture.prototype.destroy = function () { counts.more -= 1; return destroy.call(this); };
}"""


def opened(window, site):
    """Python on the page's own thread with every device open and pictures beside it."""
    python = PythonPage(window.new_page(), site, "backend=cpu&thread=main")
    python.page.evaluate(PICTURES)
    python.page.evaluate(COUNTED)
    python.run("""
        import gc, js, numpy as np, pyml
        from pyml import config
        from pyml.browser.pixels import picture_tensor
        for backend in ("webgpu", "wasm", "cpu"):
            await config.init_async(backend)
            if backend == "webgpu":
                as_it_is = [config.device().copies_pictures, config.device().draws_pictures]
                config.device().copies_pictures = True
        def refused(call):
            try:
                call()
            except Exception as error:
                return [type(error).__name__, str(error)]
        def on(backend, work):
            config.set_backend(backend)
            return work()
        def pixels(kind, channels=4):
            return pyml.browser.from_pixels(getattr(js.films, kind, None) or getattr(js.pictures, kind), channels).numpy()
        1
    """)
    return python


@pytest.fixture(scope="module")
def any_device(profile, site):
    """A page for tests that choose a device themselves."""
    python = opened(profile, site)
    yield python
    python.page.close()


@pytest.fixture(params=BACKENDS)
def main_thread(any_device, request):
    """The same page on one device after the other."""
    any_device.run(f"config.set_backend('{request.param}') or 1")
    return any_device


@pytest.fixture(scope="module")
def tensorflow(any_device):
    """TensorFlow.js on the same page."""
    any_device.page.add_script_tag(path=tensorflow_js.script())
    any_device.page.evaluate("async () => { await tf.setBackend('cpu'); await tf.ready(); }")
    return any_device.page


KINDS = ["imageData", "canvas", "offscreen", "image", "scaled", "bitmap", "unmultiplied", "plain", "video", "opaque", "every",
         "bitmapOfEvery"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_those_of_tensorflow_js(main_thread, tensorflow, kind):
    for channels in (1, 3, 4):
        shape = tensorflow.evaluate(
            """([kind, channels]) => {
              const t = tf.browser.fromPixels(pictures[kind], channels);
              window.theirs = t.dataSync();
              return t.shape;
            }""",
            [kind, channels],
        )
        ours, unlike, values = main_thread.run(f"""
            t = pixels("{kind}", {channels})
            [list(t.shape), int((t.ravel() != js.theirs.to_py()).sum()), len(np.unique(t))]
        """)
        assert (ours, unlike) == (shape, 0)
        assert values > 1


FILMS = ["I420", "I444", "NV12", "I420A", "bt709", "stretched", "cut", "webgl"]


def test_frames_of_every_format_are_the_same_on_every_device(any_device):
    for kind in FILMS:
        unlike = any_device.run(f"""
            cpu, wasm, gpu = (on(backend, lambda: pixels("{kind}")) for backend in ("cpu", "wasm", "webgpu"))
            [cpu.shape == gpu.shape, int((cpu != wasm).sum()), int((cpu != gpu).sum()), len(np.unique(cpu)) > 2]
        """)
        assert unlike == [True, 0, 0, True], kind


@pytest.fixture(scope="module")
def accelerated(driver, site):
    """A page whose canvases and videos are on the GPU, so that other code of the browser copies them."""
    chromium = browsers.launch(driver, (*browsers.FLAGS, *ACCELERATED))
    yield opened(chromium.new_context(), site)
    chromium.close()


def test_pictures_on_the_gpu_are_read_exactly_too(accelerated):
    for kind in ["opaque", "video", "bitmap", "image", "canvas", "imageData", *FILMS]:
        unlike = accelerated.run(f"""
            cpu, gpu = (on(backend, lambda: pixels("{kind}")) for backend in ("cpu", "webgpu"))
            [cpu.shape == gpu.shape, int((cpu != gpu).sum())]
        """)
        assert unlike == [True, 0], kind


def test_opaque_pictures_stay_on_the_gpu_and_leave_nothing_behind(any_device):
    few, many, sizes, others = any_device.run("""
        config.set_backend("webgpu")
        device, uploads = config.device(), []
        device.write = lambda *given: (uploads.append(1), type(device).write(device, *given))
        async def opaque(n):
            camera_frame = await js.createImageBitmap(js.films.I420)
            for i in range(n):
                for source in (js.pictures.opaque, js.films.I420, js.films.NV12, camera_frame):
                    picture_tensor(source, 3, "float32" if i % 2 else "int32", opaque=True)
            camera_frame.close()
            gc.collect()
            return [js.counts.read, js.counts.more, len(uploads), js.counts.made, device.usage.buffers, len(gc.get_objects())]
        few, many = await opaque(3), await opaque(30)
        sizes = [pixels("cut").shape, pixels("opaque").shape, pixels("cut").shape, [js.counts.more, js.counts.read]]
        others = [(pixels(kind), js.counts.read - many[0])[1] for kind in ("imageData", "plain", "bitmap", "canvas", "image")]
        del device.write
        [few, many, sizes, others]
    """)
    assert few[:5] == many[:5] and few[2] == 0 and many[5] - few[5] < 50
    assert sizes == [[40, 32, 4], [48, 64, 4], [40, 32, 4], few[1::-1]]
    assert others == [0, 0, 1, 2, 3]                   # bytes are taken as they are; what may be transparent is read


def test_camera_frames_stay_on_the_gpu(any_device):
    any_device.page.evaluate("""() => {
      const pen = pictures.opaque.getContext("2d");
      setInterval(() => { pen.fillStyle = "rgb(200, 60, 21)"; pen.fillRect(0, 0, 1, 1); }, 30);
      navigator.mediaDevices.getUserMedia = async () => pictures.opaque.captureStream();
    }""")
    (read, uploads, growth), same = any_device.run("""
        async def frames(backend, n):
            config.set_backend(backend)
            found = []
            for options in ({}, {"resize_width": 30, "resize_height": 40, "center_crop": True}):
                async with pyml.data.webcam(**options) as camera:
                    for _ in range(n):
                        frame = await camera.capture()
                    found.append(frame.numpy())
            return found
        whole, cut = await frames("webgpu", 2)
        device, uploads, before = config.device(), [], [js.counts.read, config.device().usage.buffers]
        device.write = lambda *given: (uploads.append(1), type(device).write(device, *given))
        await frames("webgpu", 10)
        del device.write
        after = [js.counts.read - before[0], len(uploads), device.usage.buffers - before[1]]
        cpu_whole, cpu_cut = await frames("cpu", 1)
        kinds = [whole.dtype.name, cut.dtype.name, list(cut.shape), bool(np.abs(cut - cpu_cut).max() < 1e-3)]
        [after, [int((whole != cpu_whole).sum()), *kinds]]
    """)
    assert same == [0, "int32", "float32", [40, 30, 3], True]
    assert read == 0 and uploads <= 2 and growth <= 0  # the two matrices of a resizer


def test_a_software_adapter_is_spared_and_gives_the_same(any_device):
    assert any_device.run("""
        config.set_backend("webgpu")
        direct, config.device().copies_pictures = pixels("NV12"), False
        arrays, config.device().copies_pictures = pixels("NV12"), True
        [as_it_is, bool((direct == arrays).all())]
    """) == [[False, False], True]


def test_a_source_the_browser_does_not_copy_is_read(any_device):
    any_device.page.evaluate("""() => {
      window.copying = GPUQueue.prototype.copyExternalImageToTexture;
      GPUQueue.prototype.copyExternalImageToTexture = () => { throw new DOMException("not here", "OperationError"); };
    }""")
    same = any_device.run("""
        cpu, gpu = (on(backend, lambda: [pixels(kind) for kind in ("opaque", "NV12", "bitmap")]) for backend in ("cpu", "webgpu"))
        [bool((a == b).all()) for a, b in zip(cpu, gpu)]
    """)
    any_device.page.evaluate("() => { GPUQueue.prototype.copyExternalImageToTexture = copying; }")
    assert same == [True] * 3


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


DRAWN = """
    new = lambda: js.document.createElement("canvas")
    rng = np.random.default_rng(2)
    grey, colour, clear = (rng.integers(0, 256, shape).astype("int32") for shape in ((5, 4), (6, 3, 3), (3, 9, 4)))
    clear[..., 3] = 255
    def seen(image, options=None, canvas=None):        # read back before the page shows it
        canvas = canvas or new()
        pyml.browser.draw(image, canvas, options)
        return pyml.browser.from_pixels(canvas, 4).numpy()
    def alike(image, *options):
        return bool((seen(image, *options) == pyml.browser.to_pixels(image)).all())
"""


def test_tensors_are_drawn_on_a_canvas_by_every_device(main_thread):
    assert main_thread.run(f"""{DRAWN}
    two_d = {{"context_options": {{"context_type": "2d", "context_attributes": {{"alpha": False}}}}}}
    images = [grey, colour, colour.transpose(1, 0, 2), clear, pyml.convert_to_tensor(grey / np.float32(255)) * 0.5]
    [[alike(image) for image in images], [alike(image, two_d) for image in images]]
    """) == [[True] * 5] * 2


def test_a_canvas_keeps_its_kind_and_takes_each_size(main_thread):
    assert main_thread.run(f"""{DRAWN}
    flat, other = new(), new()
    flat.getContext("2d")
    [[alike(image, None, canvas) for image in (grey, colour, clear)] for canvas in (flat, other)]
    """) == [[True] * 3] * 2


def test_alpha_of_what_is_drawn_is_that_of_tensorflow_js(main_thread, tensorflow):
    theirs = tensorflow.evaluate("""() => {
        const canvas = document.createElement("canvas");
        tf.browser.draw(tf.tensor([0, 51, 204, 255], [2, 2], "int32"), canvas, { imageOptions: { alpha: 0.6 } });
        return [...canvas.getContext("2d").getImageData(0, 0, 2, 2).data];
    }""")
    ours = main_thread.run(f"""{DRAWN}
    seen(np.array([[0, 51], [204, 255]]), {{"image_options": {{"alpha": 0.6}}}}).ravel().tolist()
    """)
    assert ours == theirs and ours[3] == 153


def test_drawing_from_the_gpu_reads_nothing_and_clamps(accelerated):
    assert accelerated.run(f"""{DRAWN}
    config.set_backend("webgpu")
    device, reads = config.device(), []
    device.draws_pictures = True                       # this Chromium can draw with the software adapter too
    device.read = lambda *given: reads.append(1)
    flat, other = new(), new()
    flat.getContext("2d")
    pyml.browser.draw(pyml.convert_to_tensor(colour), new())
    await pyml.browser.draw_async(pyml.convert_to_tensor(colour) * 2, new())
    see_through = {{"image_options": {{"alpha": 0.6}}}}
    shown = lambda image, *options: [pyml.browser.draw(image, other, *options), not other.getContext("2d")][1]
    in_gpu = [shown(grey), shown(colour, see_through), shown(clear), len(reads)]
    del device.read
    images = [grey, colour, colour.transpose(1, 0, 2), clear, pyml.convert_to_tensor(grey / np.float32(255)) * 0.5]
    same = [alike(image, None, canvas) for canvas in (other, flat) for image in images]
    wild = seen(np.array([[-1.0, 2.0, 0.5]], "float32"))
    veiled = seen(np.array([[0, 51], [204, 255]]), see_through)
    device.draws_pictures = False
    config.set_backend("cpu")
    told = refused(lambda: seen(np.array([[-1.0, 2.0]])))[1]
    off = int(np.abs(veiled - seen(np.array([[0, 51], [204, 255]]), see_through)).max())
    [in_gpu, same, wild[0, :, 0].tolist(), told, off <= 1]
    """) == [[True, True, True, 0], [True] * 10, [0, 255, 128],
             "draw: the image must hold floats from 0 to 1. Received values from -1.0 to 2.0.", True]  # fmt: skip


def test_the_next_frame_comes(any_device):
    assert any_device.run("""
        js.frames = 0
        js.requestAnimationFrame(js.Function.new("frames += 1"))
        await pyml.browser.next_frame()
        js.frames
    """) == 1


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
    kind, message = main_thread.run("refused(lambda: pyml.browser.draw(np.ones((2, 2)), js.busy))")
    assert kind == "ValueError" and "draw: the canvas cannot be drawn on" in message


def test_a_worker_reads_and_draws_all_it_can_have(pythons):
    python = pythons("backend=webgpu")
    assert python.run("""
        import numpy as np, pyml
        from js import Object, OffscreenCanvas, VideoFrame, createImageBitmap
        from pyodide.ffi import to_js
        device = pyml.config.device()
        device.copies_pictures = True
        picture = np.random.default_rng(1).integers(0, 256, (4, 6, 3)).astype("int32")
        canvas = OffscreenCanvas.new(1, 1)
        pyml.browser.to_pixels(picture, canvas)
        bitmap = await createImageBitmap(canvas)
        data = canvas.getContext("2d").getImageData(0, 0, 6, 4)
        frame = VideoFrame.new(bitmap, timestamp=0)
        film = VideoFrame.new(to_js(bytes(range(96))), to_js({"format": "NV12", "codedWidth": 8, "codedHeight": 8, "timestamp": 0},
                                                             dict_converter=Object.fromEntries))
        same = [bool((pyml.browser.from_pixels(s).numpy() == picture).all()) for s in (canvas, bitmap, data, frame)]
        direct = pyml.browser.from_pixels(film).numpy()
        frame.close()
        bitmap.close()
        await pyml.browser.next_frame()
        device.copies_pictures = False                 # as it is with a software adapter
        await pyml.config.init_async("cpu")
        same += [bool((pyml.browser.from_pixels(film).numpy() == direct).all())]
        same += [bool((pyml.browser.from_pixels(canvas).numpy() == picture).all())]
        same
    """) == [True] * 6
