"""The page of docs/own_page.md: as it is written there, on a host that sends no headers, and with pyml's folder on another host."""

import re
import shutil

from pyml import paths
from pyml.cli.build import build_site

from .hosting import hosted
from .patience import patience

GUIDE = paths.checkout() / "docs" / "own_page.md"


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def looked_at(profile, address):
    """What the page says when it has trained and drawn, with the backend's name."""
    page, errors = profile.new_page(), []
    page.set_default_timeout(patience())
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.get_by_text("loss").first.wait_for()
    page.get_by_role("complementary", name="Visor").locator("svg").first.wait_for()
    said = page.locator("#out").text_content()
    isolated = page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)")
    page.screenshot(path=paths.build_dir() / "screenshots" / f"own-page-{isolated}.png")
    page.close()
    assert not errors
    return said, isolated


def test_the_guides_page_trains_and_draws_on_a_static_host_and_from_another_origin(profile, tmp_path):
    (page,), (train, programs, _) = blocks("html"), blocks("python")
    assert len(page.strip().splitlines()) <= 15
    mine, other = tmp_path / "mypage", tmp_path / "other"
    for folder in (mine, other):
        folder.mkdir()
        (folder / "train.py").write_text(train)
    (mine / "index.html").write_text(page)
    (mine / "programs.py").write_text(programs)
    build_site(tmp_path / "site", page=mine, say=lambda text: None)
    with hosted(tmp_path / "site") as url, hosted(other) as elsewhere:
        (other / "index.html").write_text(page.replace('"./web/', f'"{url}/web/'))
        for address, workers in ((url, 1), (elsewhere, 0)):
            said, registered = looked_at(profile, address)
            loss, backend = re.fullmatch(r"loss (\d\.\d+) on (\w+)\n", said).groups()
            assert float(loss) < 0.05 and backend == "wasm" and registered == workers
    shutil.rmtree(tmp_path / "site")
