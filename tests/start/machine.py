"""A computer with start.py on it, whose Python, pip and disk are stand-ins."""

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_THERE = "ERROR: No matching distribution found for torch==2.13.0+cpu"
UNREACHABLE = (
    "WARNING: Retrying after connection broken by 'NewConnectionError: Name or service not known'\n" + NOT_THERE
)
NO_ROOM = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"


class Machine:
    """A computer with start.py on it, whose Python, pip and disk are stand-ins."""

    def __init__(self, folder, monkeypatch):
        for name in ("start.py", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder)
        spec = importlib.util.spec_from_file_location("start_in_a_test", folder / "start.py")
        self.start = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.start)
        self.folder, self.torch, self.healthy, self.gigabytes, self.driver = folder, "", True, 100, False
        self.engine, self.compiled = "compiled", 0
        self.pips, self.venvs, self.handed, self.answers = [], 0, [], {}
        there = os.path.exists
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(self.start, "run", self.run)
        monkeypatch.setattr(self.start, "hand_over", lambda command: self.handed.append(command[1:]) or 0)
        monkeypatch.setattr(shutil, "which", lambda name: "/bin/" + name if self.driver else None)
        monkeypatch.setattr(os.path, "exists", lambda path: path != "/proc/driver/nvidia" and there(path))
        monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, self.gigabytes * 10**9))

    def run(self, command, log=None):
        """Stand in for start.run: make an environment, tell its versions, or install into it."""
        if command[1:3] == ["-m", "venv"]:
            return self.make(Path(command[-1]))
        if not (self.healthy and Path(command[0]).exists()):
            raise FileNotFoundError(command[0])
        if command[1] == "-I":
            return 0, f"3.11 {self.torch}\n"
        if command[1] == "-c":
            self.compiled += 1
            return 0, f"{self.engine}\n"
        words = command[4:]
        self.pips.append(words)
        status, text = self.answers.get(self.step(words), (0, "fine"))
        if isinstance(status, type):
            raise status
        log.write_text(text, encoding="utf-8")
        if status == 0:
            self.torch = words[-1].partition("==")[2] or self.torch or "2.13.0"
        return status, text

    def make(self, venv):
        status, text = self.answers.get("venv", (0, ""))
        self.venvs, self.torch, self.healthy = self.venvs + 1, "", True
        if status == 0:
            shutil.rmtree(venv, ignore_errors=True)
            self.start.BIN.mkdir(parents=True)
            Path(self.start.PYTHON).touch()
        return status, text

    def step(self, words):
        return "main" if "-e" in words else "index" if "--index-url" in words else "own"

    def steps(self):
        """Tell which kinds of installation pip was asked for, and forget them."""
        steps, self.pips = [self.step(words) for words in self.pips], []
        return steps

    def stamp(self):
        return json.loads((self.folder / ".venv" / "start.json").read_text(encoding="utf-8"))
