"""`pyml.browser.from_pixels` and `to_pixels` on the desktop; e2e/test_pixels.py has the browser's half."""

import asyncio

import numpy as np
import pytest

import pyml
from pyml.browser import draw, draw_async, from_pixels, next_frame, to_pixels, to_pixels_async
from pyml.errors import DtypeError, ShapeError

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (3, 5, 4), dtype="uint8")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_first_channels_come_back_exact(channels, device):
    tensor = from_pixels(PICTURE, channels)
    assert tensor.dtype == "int32" and tensor.shape == (3, 5, channels)
    np.testing.assert_array_equal(tensor.numpy(), PICTURE[..., :channels])


def test_colours_are_not_multiplied_by_alpha():
    assert from_pixels(np.array([[[200, 100, 50, 0]]], "uint8")).numpy().tolist() == [[[200, 100, 50]]]


@pytest.mark.parametrize("grey", [PICTURE[..., 0], PICTURE[..., :1]])
def test_grey_pictures_have_three_equal_colours_and_are_opaque(grey):
    pixels = from_pixels(grey, 4).numpy()
    assert (pixels[..., :3] == PICTURE[..., :1]).all() and (pixels[..., 3] == 255).all()


class Picture:
    """What `from_pixels` uses of a Pillow image."""

    def __init__(self, mode):
        self.mode = mode

    def getbands(self):
        return tuple(self.mode)

    def convert(self, mode):
        assert mode == "RGBA"
        return PICTURE


def test_pillow_images_are_converted_to_rgba():
    np.testing.assert_array_equal(from_pixels(Picture("LA")).numpy(), PICTURE[..., :3])


def test_pillows_own_images_keep_their_pixels():
    Image = pytest.importorskip("PIL.Image")
    np.testing.assert_array_equal(from_pixels(Image.fromarray(PICTURE), 4).numpy(), PICTURE)
    assert from_pixels(Image.new("1", (2, 1), 1)).numpy().tolist() == [[[255] * 3] * 2]


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_tensors_become_bytes(channels, dtype, device):
    picture = PICTURE[..., 0] if channels is None else PICTURE[..., :channels]
    values = picture / np.float32(255) if dtype == "float32" else picture
    image = pyml.convert_to_tensor(values.astype(dtype))
    pixels = to_pixels(image)
    assert pixels.dtype == np.uint8 and pixels.shape == (3, 5, 4)
    np.testing.assert_array_equal(pixels[..., : channels or 1], picture.reshape(3, 5, -1))
    if channels in (None, 1):
        assert (pixels[..., 1:3] == pixels[..., :1]).all()
    if channels != 4:
        assert (pixels[..., 3] == 255).all()
    np.testing.assert_array_equal(asyncio.run(to_pixels_async(image)), pixels)


def test_floats_round_half_up_as_math_round_does():
    halves = np.array([[0.5, 1.5, 2.5]]) / 255
    assert to_pixels(halves)[0, :, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "wrong, error, message",
    [
        (lambda: from_pixels(PICTURE, 5), ValueError, "num_channels must be 1, 2, 3 or 4. Received: num_channels=5"),
        (lambda: from_pixels(PICTURE, 0), ValueError, "num_channels=0"),
        (lambda: from_pixels(PICTURE.astype("float32")), DtypeError, "must be uint8, with values from 0 to 255. Received float32"),
        (lambda: from_pixels(PICTURE[..., :2]), ShapeError, "Received (3, 5, 2)"),
        (lambda: from_pixels(PICTURE[:0]), ShapeError, "no pixels: it is 5 wide and 0 high"),
        (lambda: from_pixels("cat.png"), TypeError, "Received a str"),
        (lambda: from_pixels(pyml.ops.ones((2, 2))), TypeError, "a tensor already"),
        (lambda: to_pixels(np.ones((2, 2, 2))), ShapeError, "1, 3 or 4 channels. Received (2, 2, 2)"),
        (lambda: to_pixels(np.ones(3)), ShapeError, "Received (3,)"),
        (lambda: to_pixels(np.ones((0, 3))), ShapeError, "no pixels"),
        (lambda: to_pixels(np.ones((2, 2), bool)), DtypeError, "Received bool"),
        (lambda: to_pixels(np.full((2, 2), 1.5)), ValueError, "floats from 0 to 1. Received values from 1.5 to 1.5"),
        (lambda: to_pixels(np.full((2, 2), np.nan)), ValueError, "Received values from nan to nan"),
        (lambda: to_pixels(np.array([[-1, 256]])), ValueError, "integers from 0 to 255. Received values from -1 to 256"),
        (lambda: to_pixels(np.ones((2, 2)), "canvas"), TypeError, "to_pixels: expected a canvas of the page. Received a str"),
        (lambda: draw(np.ones((2, 2)), "canvas"), TypeError, "draw: expected a canvas of the page. Received a str"),
        (lambda: draw(np.ones((2, 2)), None), TypeError, "expected a canvas of the page. Received None"),
        (lambda: asyncio.run(draw_async(np.ones((2, 2, 2)), "canvas")), ShapeError, "draw: the image must have the shape"),
        (lambda: draw(np.ones((2, 2)), 0, {"alpha": 1}), ValueError, "image_options and context_options. Received: 'alpha'"),
        (lambda: draw(np.ones((2, 2)), 0, "webgpu"), ValueError, "options must be a dict"),
        (lambda: draw(np.ones((2, 2)), 0, {"image_options": {"alpha": 2}}), ValueError, "from 0 to 1. Received: alpha=2"),
        (lambda: draw(np.ones((2, 2)), 0, {"image_options": {"opacity": 1}}), ValueError, "may hold alpha. Received: opacity"),
        (lambda: draw(np.ones((2, 2)), 0, {"context_options": {"context_type": "webgl"}}), ValueError, "'webgpu' or '2d'"),
    ],
)
def test_bad_pictures_are_refused_in_one_sentence(wrong, error, message):
    with pytest.raises(error) as caught:
        wrong()
    assert message in str(caught.value)


def test_other_tasks_run_while_the_next_frame_is_awaited():
    async def both():
        seen = []

        async def other():
            seen.append("other")

        task = asyncio.create_task(other())
        await next_frame()
        seen.append("frame")
        await task
        return seen

    assert asyncio.run(both()) == ["other", "frame"]
