"""Data that is read and prepared while it is used: `Dataset`, text and csv files, camera and microphone."""

from pyml.lazily import parts as _parts

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
__getattr__, __dir__ = _parts(__name__, _NAMES)
