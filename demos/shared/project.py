"""A project of a demo page in one .zip file: its facts, examples and code, and the model that was trained.

The file is an ordinary archive: `project.json` names what is in it, pictures are PNG files, sounds are WAV files, the model is
`model.keras`. What a page shows is replaced only when all of a file has been read.
"""

import contextlib
import io
import json
import os
import tempfile
import zipfile

import numpy as np

from pyml import saving

FORMAT, VERSION = "pyml project", 1
FACTS, MODEL = "project.json", "model.keras"
LARGEST = 1 << 30  # bytes of all files of a project together
STORED = (".png", ".keras")  # what is compressed already


class ProjectError(ValueError):
    """A file is not a project that this page opens; the message is a sentence for the person who chose it."""


def pack(page, facts, files):
    """The bytes of a project's file.

    Args:
        page: Name of the demo.
        facts: What the page needs to know besides, as JSON has it.
        files: Bytes or text of further files by their paths.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(FACTS, json.dumps({"format": FORMAT, "version": VERSION, "page": page, **facts}, indent=1))
        for path, content in files.items():
            how = zipfile.ZIP_STORED if path.endswith(STORED) else zipfile.ZIP_DEFLATED
            archive.writestr(path, content if isinstance(content, str) else bytes(content), how)
    return packed.getvalue()


def unpack(data, page):
    """The facts and the files of a project.

    Raises:
        ProjectError: It is damaged, no project, one of another page, or of a newer pyml.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            if FACTS not in names:
                raise ProjectError("It is not a whole project: choose a .zip file that Save project wrote.")
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                raise ProjectError("It holds more than a gigabyte, which is more than a page can open.")
            files = {name: archive.read(name) for name in names}  # compares every file with its checksum
        facts = json.loads(files.pop(FACTS))
    except ProjectError:
        raise
    except Exception as error:  # whatever damaged bytes bring about
        raise ProjectError("It is damaged or not whole; choose another copy of it.") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ProjectError("It is not a whole project: choose a .zip file that Save project wrote.")
    if facts.get("page") != page:
        raise ProjectError(f"It is a project of the page “{facts.get('page')}”; open it there.")
    if facts.get("version") != VERSION:
        raise ProjectError("It was written by a newer version of this page; open it there.")
    return facts, files


@contextlib.contextmanager
def reading():
    """Whatever is wrong with what the facts say becomes a sentence."""
    try:
        yield
    except ProjectError:
        raise
    except Exception as error:  # whatever was left out of the facts, or is neither a sound nor an array
        raise ProjectError("It is damaged or not whole; choose another copy of it.") from error


def part(files, path):
    """One of the files that the facts name."""
    if path not in files:
        raise ProjectError(f"It is not whole: {path} is missing; choose another copy of it.")
    return files[path]


async def model_of(data):
    """The model of the bytes of a .keras file.

    Raises:
        ProjectError: It cannot be opened.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, MODEL)
        with open(path, "wb") as file:
            file.write(bytes(data))
        try:
            return await saving.load_model_async(path)
        except Exception as error:  # a layer that is not there, a file that is none
            raise ProjectError(f"The model in it cannot be opened: {str(error).strip().splitlines()[0]}") from error


def array_bytes(array):
    """An array as the bytes of a .npy file."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()


def array_of(data):
    """The array of the bytes of a .npy file."""
    return np.load(io.BytesIO(data), allow_pickle=False)
