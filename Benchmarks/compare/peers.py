# SPDX-License-Identifier: Apache-2.0
"""Sets up the peers in a cache folder: a virtual environment with onnxruntime-genai and openvino-genai, and
llama.cpp's programs built from PyPI's source package of llama-cpp-python. Needs Python 3.11 or later; a missing C++
compiler or venv is installed by apt. What is there already is left alone, what was interrupted goes on.

    python3 peers.py FOLDER [--llama-bin DIR] [-j 2]
"""

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

PACKAGES = ["numpy==2.4.6", "gguf==0.19.0", "onnxruntime-genai==0.18.0", "openvino-genai==2026.4.1.0",
            "cmake==4.4.4", "ninja==1.13.2", "typing_extensions==4.16.0", "diskcache==5.6.3", "jinja2==3.1.6"]
SOURCE = "llama_cpp_python-0.3.36"
DIGEST = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
PROGRAMS = ["llama-bench", "llama-batched-bench", "llama-perplexity", "llama-quantize"]


def log(text):
    print(text, file=sys.stderr, flush=True)


def call(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)


def environment(folder):
    """The Python that has the packages; a stamp holds what was installed."""
    home = folder / "venv"
    python, stamp = home / "bin" / "python", home / "installed"
    wanted = "\n".join(PACKAGES)
    if not (stamp.exists() and stamp.read_text() == wanted):
        log("installing the peers' Python packages")
        if importlib.util.find_spec("ensurepip") is None:
            install("python3-venv")
        call(sys.executable, "-m", "venv", home)
        call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES)
        stamp.write_text(wanted)
    return python


def source(folder, python):
    """llama-cpp-python's source package, unpacked; llama.cpp itself lies in vendor/."""
    target, archive = folder / SOURCE, folder / f"{SOURCE}.tar.gz"
    if target.exists():
        return target
    if not archive.exists():
        log(f"fetching {SOURCE}")
        name, version = SOURCE.rsplit("-", 1)
        name = name.replace("_", "-")
        call(python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary",
             name, "--dest", folder, f"{name}=={version}")
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != DIGEST:
        archive.unlink()
        sys.exit(f"error: {archive} has SHA-256 {found}, expected {DIGEST}; run again to fetch it anew")
    unpacking = folder / "unpacking"
    shutil.rmtree(unpacking, ignore_errors=True)
    with tarfile.open(archive) as members:
        # Python 3.11.4 brought the filter; the digest vouches for the archive either way.
        members.extractall(unpacking, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    os.replace(unpacking / SOURCE, target)
    unpacking.rmdir()
    return target


def install(package):
    """By apt, for a machine that is new."""
    log(f"installing {package}")
    call("apt-get", "install", "-y", "--no-install-recommends", package)


def llama_cpp(folder, python, package, jobs):
    """The folder of llama.cpp's programs; ninja goes on where an interrupted build stopped."""
    build = folder / "llama-build"
    binaries = build / "bin"
    if not (build / "built").exists():
        code = package / "vendor" / "llama.cpp"
        if not (shutil.which("g++") or shutil.which("clang++")):
            install("g++")
        log("building llama.cpp; this takes 10 to 20 minutes on two cores")
        tools = python.parent
        call(tools / "cmake", "-S", code, "-B", build, "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tools / 'ninja'}",
             "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF",
             "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_MTMD=OFF", "-DLLAMA_BUILD_UI=OFF")
        call(tools / "cmake", "--build", build, "-j", jobs, "--target", *PROGRAMS)
        (build / "built").write_text(SOURCE)
    return binaries


def check(binaries):
    missing = [name for name in PROGRAMS if not (binaries / name).exists()]
    if missing:
        sys.exit(f"error: {binaries} lacks {', '.join(missing)}")
    return binaries


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--llama-bin", type=Path, help="programs of llama.cpp that exist already")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python = environment(folder)
    package = source(folder, python)
    binaries = options.llama_bin.resolve() if options.llama_bin else llama_cpp(folder, python, package, options.jobs)
    print(python, check(binaries), package, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
