"""Data that is read and prepared while it is used: `Dataset`, text and csv files, camera and microphone."""

from typing import TYPE_CHECKING

from pyml.lazily import parts as _parts

if TYPE_CHECKING:
    from pyml.data.camera_frames import Webcam as Webcam
    from pyml.data.camera_frames import cameras as cameras
    from pyml.data.camera_frames import webcam as webcam
    from pyml.data.csv_dataset import CsvDataset as CsvDataset
    from pyml.data.csv_dataset import csv as csv
    from pyml.data.csv_findings import CsvFindings as CsvFindings
    from pyml.data.csv_findings import inspect_csv as inspect_csv
    from pyml.data.csv_findings import inspect_csv_async as inspect_csv_async
    from pyml.data.dataset import AUTOTUNE as AUTOTUNE
    from pyml.data.dataset import INFINITE_CARDINALITY as INFINITE_CARDINALITY
    from pyml.data.dataset import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
    from pyml.data.dataset import Dataset as Dataset
    from pyml.data.example import Example as Example
    from pyml.data.example import FixedLenFeature as FixedLenFeature
    from pyml.data.example import VarLenFeature as VarLenFeature
    from pyml.data.example import parse_example as parse_example
    from pyml.data.example import parse_single_example as parse_single_example
    from pyml.data.iterators import AsyncDatasetIterator as AsyncDatasetIterator
    from pyml.data.iterators import DatasetIterator as DatasetIterator
    from pyml.data.media import MediaError as MediaError
    from pyml.data.reading import from_files as from_files
    from pyml.data.reading import image_folder as image_folder
    from pyml.data.reading import text_line as text_line
    from pyml.data.sound_frames import Microphone as Microphone
    from pyml.data.sound_frames import microphone as microphone
    from pyml.data.sound_frames import microphones as microphones
    from pyml.data.sources import FileDataSource as FileDataSource
    from pyml.data.sources import URLDataSource as URLDataSource
    from pyml.data.tables import arrow as arrow
    from pyml.data.tables import from_table as from_table
    from pyml.data.tables import parquet as parquet
    from pyml.data.text import TextLineDataset as TextLineDataset
    from pyml.data.tfrecord import TFRecordDataset as TFRecordDataset
    from pyml.data.tfrecord import TFRecordWriter as TFRecordWriter

_NAMES = {
    "AUTOTUNE": "dataset", "Dataset": "dataset", "DatasetIterator": "iterators", "AsyncDatasetIterator": "iterators",
    "TFRecordDataset": "tfrecord", "TFRecordWriter": "tfrecord",
    "Example": "example", "FixedLenFeature": "example", "VarLenFeature": "example", "parse_example": "example",
    "parse_single_example": "example",
    "arrow": "tables", "from_table": "tables", "parquet": "tables",
    "from_files": "reading", "image_folder": "reading", "text_line": "reading",
    "INFINITE_CARDINALITY": "dataset", "UNKNOWN_CARDINALITY": "dataset",
    "FileDataSource": "sources", "URLDataSource": "sources",
    "Microphone": "sound_frames", "microphone": "sound_frames", "microphones": "sound_frames",
    "MediaError": "media", "Webcam": "camera_frames", "cameras": "camera_frames", "webcam": "camera_frames",
    "TextLineDataset": "text", "CsvDataset": "csv_dataset", "csv": "csv_dataset",
    "CsvFindings": "csv_findings", "inspect_csv": "csv_findings", "inspect_csv_async": "csv_findings",
}  # fmt: skip

__all__ = sorted(_NAMES)
if not TYPE_CHECKING:
    __getattr__, __dir__ = _parts(__name__, _NAMES)
