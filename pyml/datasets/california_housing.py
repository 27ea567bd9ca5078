"""House prices of California, 20,640 rows of 8 numbers."""

from __future__ import annotations

from pyml.datasets._origins import Split, arrays, check_split, fetched, split


def load_data(version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2,
              seed: int = 113) -> tuple[Split, Split]:  # fmt: skip
    """Loads the data set that Keras has under this name.

    Args:
        version: `"large"`, all rows, or `"small"`, the first 600.
        path: Name of the file in the cache, `~/.keras/datasets`, or an absolute path to one.
        test_split: Share of rows for testing, from 0 to below 1.
        seed: Of the order of rows.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: rows `(16512, 8)` and `(4128, 8)` of median income, age of houses, rooms, bedrooms,
        people, people of a household, latitude and longitude; and prices in dollars.

    Raises:
        ValueError: An argument is out of range, or the file is damaged.
        OSError: The file is not on this machine and cannot be fetched.

    Source: Pace and Barry 1997; the StatLib library.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = pyml.datasets.california_housing.load_data("small")    # doctest: +SKIP
    """
    check_split(test_split)
    if version not in ("small", "large"):
        raise ValueError(f"Argument `version` must be one of 'small', 'large'. Received: version={version}")
    file = arrays(fetched(path, "california_housing.npz"))
    rows = 600 if version == "small" else None
    return split(file["x"][:rows], file["y"][:rows], test_split, seed)
