"""What the speech demo leaves behind when it is exported: an ear in JavaScript, and features that the device itself computes."""

import asyncio
import json
import subprocess

import numpy as np
import pytest

import pyml
from pyml import paths
from pyml.hub import store

EAR = """
import { Ear } from "EAR_URL";
let text = "";
for await (const chunk of process.stdin) text += chunk;
const { sound, pieces } = JSON.parse(text), samples = Float32Array.from(sound), ear = new Ear();
let at = 0;
const heard = pieces.flatMap((length, i) => ear.hear(samples.subarray(at, at += length)).map((clip) => [i, [...clip]]));
console.log(JSON.stringify(heard));
"""


def words(pick, rate):
    """Four tones of different lengths, each swelling and fading, with a second of quiet after each."""
    quiet = lambda: 0.002 * pick.standard_normal(rate)
    tone = lambda hertz, length: 0.3 * np.sin(2 * np.pi * hertz * np.arange(length) / rate) * np.hanning(length)
    parts = [part for word in ((300, 5000), (500, 9000), (200, 4000), (900, 15000)) for part in (tone(*word), quiet())]
    return np.concatenate([quiet(), *parts]).astype(np.float32)


def test_the_ear_without_python_hears_the_same_clips(demo_module):
    speech, pick = demo_module("speech", "speech"), np.random.default_rng(0)
    sound = words(pick, speech.RATE)
    pieces = pick.integers(200, 5000, 40).tolist()
    ear, wanted = speech.Ear(), []
    for i, piece in enumerate(np.split(sound, np.cumsum(pieces))[:-1]):
        wanted += [(i, clip) for clip in ear.hear(piece)]
    code = EAR.replace("EAR_URL", (paths.checkout() / "demos" / "speech" / "ear.js").as_uri())
    given = json.dumps({"sound": sound.tolist(), "pieces": pieces})
    done = subprocess.run(["node", "--input-type=module", "-e", code], input=given, capture_output=True, text=True, check=True)
    heard = json.loads(done.stdout)
    assert [i for i, _ in heard] == [i for i, _ in wanted] and len(wanted) == 4
    for (_, clip), (_, own) in zip(heard, wanted, strict=True):
        np.testing.assert_array_equal(np.array(clip, np.float32), own)


@pytest.mark.parametrize("kind", ["spectra", "speech_embedding"])
def test_the_device_computes_the_features_that_were_learned(demo_module, kind):
    if kind == "speech_embedding" and store.folder_of(kind) is None:
        pytest.skip("speech_embedding was not fetched; `make models` does it")
    speech, pick = demo_module("speech", "speech"), np.random.default_rng(1)
    features = asyncio.run(speech.FEATURES[kind].load())
    clip = words(pick, speech.RATE)[speech.RATE // 2 :][: speech.CLIP]
    found = pyml.program(features.on_device)(pyml.ops.convert_to_tensor(clip))
    np.testing.assert_allclose(found.numpy(), asyncio.run(features.of(clip)), rtol=1e-4, atol=1e-4)
