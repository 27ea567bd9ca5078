"""`make gpu-check`: it finds drivers, says what is missing, counts arithmetic, and runs here in small sizes."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu import __main__ as check
from benchmarks.gpu import carry, numbers, report, vulkan, workloads

ROOT = Path(__file__).resolve().parents[1]


def manifest(folder: Path, name: str, library: str) -> Path:
    path = folder / name
    path.write_text(json.dumps({"file_format_version": "1.0.0", "ICD": {"library_path": library, "api_version": "1.3"}}))
    return path


def test_a_driver_whose_library_opens_is_found_and_named_to_the_loader(tmp_path, monkeypatch):
    path = manifest(tmp_path, "some_icd.json", "libc.so.6")
    monkeypatch.setenv("VK_DRIVER_FILES", str(path))
    found = vulkan.look(None)
    assert found.drivers == {str(path): "libc.so.6"}
    assert found.environment()["VK_DRIVER_FILES"] == str(path)


def test_a_driver_whose_library_is_gone_is_reported_by_its_manifest(tmp_path, monkeypatch):
    path = manifest(tmp_path, "nvidia_icd.json", "libGLX_nowhere.so.0")
    monkeypatch.setenv("VK_DRIVER_FILES", str(path))
    found = vulkan.look(None)
    assert not found.drivers
    assert any(str(path) in line and "libGLX_nowhere.so.0" in line for line in found.missing)


def test_a_driver_that_only_the_environment_knows_is_named_with_its_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("VK_DRIVER_FILES", raising=False)
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "no.json"))
    missing = [line for line in vulkan.look(None).missing if "libvulkan" not in line]
    assert missing == [f"{tmp_path}/no.json, which VK_ICD_FILENAMES names: unset it to look for drivers in the usual folders"]


def test_a_python_that_is_too_old_is_told_before_anything_is_looked_for(monkeypatch, capsys):
    monkeypatch.setattr(check, "OLDEST", (9, 0))
    monkeypatch.delenv("PYML_GPU_CHECK", raising=False)
    assert check.main([]) == 2
    said = capsys.readouterr()
    assert "pyml needs Python 9.0 or newer" in said.err and not said.out


def test_parts_that_are_not_there_are_told_with_those_that_are():
    told = check.Check(argparse.Namespace(only=["matmul", "resnett"], minutes=1)).unknown(small=True)
    assert told.startswith("--only: nothing begins with resnett; there are 'tests', 'matmul 128', ")
    assert check.Check(argparse.Namespace(only=["Tests", "resnet"], minutes=1)).unknown(small=True) is None


def test_a_carried_loader_is_taken_where_the_machine_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(vulkan, "opens", lambda library: library.startswith(str(tmp_path)))
    found = vulkan.look(tmp_path)
    assert found.carried == tmp_path and found.environment()["LD_LIBRARY_PATH"].startswith(str(tmp_path))


def test_without_a_loader_the_check_ends_with_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(vulkan, "opens", lambda library: False)
    monkeypatch.delenv("PYML_GPU_CHECK", raising=False)
    assert check.main(["--carry", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "libvulkan1" in said.out and "no WebGPU adapter" in said.err


def test_a_carried_wheel_of_another_python_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(check, "NEEDED", {"nowhere_to_be_found": "nowhere_to_be_found"})
    for tag in ("cp27-cp27m-manylinux2014_x86_64", "py3-none-any"):
        with zipfile.ZipFile(tmp_path / f"nowhere_to_be_found-1.0-{tag}.whl", "w") as wheel:
            wheel.writestr(f"{tag[:3]}.txt", "")
        out = tmp_path / tag[:3]
        assert check.unpack(tmp_path, out) == (["nowhere_to_be_found"] if tag[:3] == "cp2" else [])
    assert (tmp_path / "py3" / "py3.txt").exists() and not (tmp_path / "cp2").exists()


def test_the_carried_list_has_a_checksum_of_every_wheel_and_of_the_loader(tmp_path):
    (tmp_path / "a-1-py3-none-any.whl").write_bytes(b"")
    (tmp_path / "libvulkan.so.1").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert carry.listed(tmp_path) == {"a-1-py3-none-any.whl": empty, "libvulkan.so.1": empty}


def test_arithmetic_of_the_large_workloads_is_that_of_the_literature():
    rows = {w.name: w.flops for w in workloads.workloads(small=False)}
    assert rows["matmul 4096"] == 2 * 4096**3
    # ResNet-18 for 32x32 pictures: 0.56 billion multiply-adds a picture, three passes of a training step
    assert rows["ResNet-18, width 64, batch 64"] / (3 * 64 * 2) == pytest.approx(0.556e9, rel=0.01)


def test_a_failed_kernel_test_is_a_problem_with_its_name():
    root = ET.fromstring('<t><testcase name="a"/><testcase name="b"><failure message="off by 2"/></testcase>'
                         '<testcase name="c"><skipped message="no device"/></testcase></t>')  # fmt: skip
    assert numbers.counted(root) == {"passed": 1, "failed": ["b: off by 2"], "skipped": 1, "reasons": {"no device": 1}}


def test_a_failed_comparison_is_reported_with_the_values_that_differ():
    text = "AssertionError: \n\nNot equal to tolerance rtol=1e-05\n\nMismatch at index:\n [3]: 0 (ACTUAL), -1 (DESIRED)\n"
    failure = ET.Element("failure", message=text)
    assert numbers.said(failure) == "Not equal to tolerance rtol=1e-05; Mismatch at index:; [3]: 0 (ACTUAL), -1 (DESIRED)"


def test_only_the_named_parts_are_wanted():
    options = argparse.Namespace(minutes=1, only=["matmul 5", "tests"])
    wanted = check.Check(options).wanted
    assert [wanted(n) for n in ("tests", "matmul 512", "matmul 1024", "ResNet-18")] == [True, True, False, False]
    options.only = None
    assert wanted("ResNet-18")


@pytest.mark.parametrize("small", [pytest.param(False, marks=pytest.mark.slow), True])
def test_the_kernel_tests_of_the_check_are_there(small):
    """Names of tests that a selection no longer meets would leave a check that checks nothing."""
    least = {"tests/test_kernels.py": 10 if small else 40, "tests/test_op_table.py": 20, "tests/test_special_values.py": 10}
    for file, chosen in (numbers.FEW if small else numbers.TESTS).items():
        command = [sys.executable, "-m", "pytest", file, "--collect-only", "-q", "-k", chosen, "-o", "addopts=", "-p", "no:cacheprovider"]
        more = ["-m", "not slow"] if small else []
        said = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
        named = [line for line in said if "::" in line]
        assert len(named) >= least[file], said[-3:]
        if file == "tests/test_kernels.py":
            assert any("routine_matches_numpy_on_its_samples" in line and "tile" in line for line in named)
            assert any("matmul_of_any_size" in line and "tile" in line for line in named)


def test_the_table_is_written_between_its_marks_only(tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.START}\nold\n{report.END}\nafter\n")
    monkeypatch.setattr(report, "README", readme)
    kernels = [{"kernel": "matmul", "s": 1e-3, "operations": 2e9, "bytes": 10**6}]
    row = {"workload": "matmul 1000", "flops": 2e9, "pyml": {"step_s": 2e-3, "first_s": 0.1, "value": 1.0, "kernels": kernels},
           "torch": {"step_s": 1e-3, "value": 1.0}}  # fmt: skip
    report.write({"date": "2026-01-01", "adapter": {"adapter": "A", "driver": "B", "wgpu": "1"}, "family": "tile", "torch": "2",
                  "peak_tflops": 2.0, "rows": [row]})  # fmt: skip
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| matmul 1000 | 2.000 | 1,000.0 | 50.0 % | 1.000 | 1.000 | 2.00 | 0.10 |" in text
    assert "`matmul` 1.000 (2,000, 1)" in text


def test_timestamps_of_every_dispatch_are_read_where_the_adapter_has_them(gpu):
    from pyml import ops, program

    x = np.ones((300, 300), np.float32)
    times = workloads.kernel_times(gpu, lambda: program(lambda a: ops.matmul(a, a))(x).numpy())
    if "timestamp-query" not in gpu.features:
        assert times is None
    else:
        assert [t["kernel"] for t in times] == ["matmul"] and times[0]["s"] >= 0 and times[0]["operations"] == 2 * 300**3


@pytest.mark.slow
def test_every_way_to_run_a_product_agrees_with_the_chosen_one(gpu, monkeypatch):
    from benchmarks.gpu import variants

    monkeypatch.setattr(gpu, "profile", gpu.profile)  # what `run` sets is taken back
    found = variants.run(gpu, True, lambda name: name == "matmul 64", 1)["matmul 64"]
    assert found[0]["way"] == "chosen" and len(found) > 8
    assert {way["what"].split()[0] for way in found} == {"gemm_tile", "gemm_tile_four"}
    assert not [way for way in found if way["s"] is None or "WRONG" in way["what"]]


@pytest.mark.slow
def test_the_whole_check_passes_on_a_software_adapter_in_small_sizes(gpu, tmp_path):
    out = tmp_path / "check.json"
    done = subprocess.run([sys.executable, "-m", "benchmarks.gpu", "--small", "--out", str(out)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(out.read_text())
    assert result["kernels"]["passed"] > 8 and not result["problems"]
    assert [row["workload"].split(",")[0] for row in result["rows"]][2:4] == ["book convnet", "ResNet-18"]
    assert set(result["probes"]) == {"f16", "subgroups"} and "WRONG" not in result["probes"].values()
    assert all(row["pyml"]["step_s"] > 0 and np.isfinite(row["pyml"]["value"]) for row in result["rows"])
    if "timestamp-query" in result["features"]:
        assert all(row["pyml"]["kernels"] for row in result["rows"])
