# SPDX-License-Identifier: LGPL-2.1-or-later
"""An agent that plays Windows: what is below one of its folders is in a folder here."""

import base64
import pathlib


def decode(text):
    return base64.b64decode(text).decode()


def script_of(path, words):
    """What PowerShell is told to carry out."""
    assert path == "powershell.exe" and words[-2] == "-EncodedCommand", (path, words)
    return base64.b64decode(words[-1]).decode("utf-16-le")


class Windows:
    """root, "C:\\...", is folder. Commands are those of guest_exec(); run() is the agent's own."""

    def __init__(self, agent, root, folder):
        self.agent, self.root, self.folder = agent, root + "\\", pathlib.Path(folder)
        self.run = agent.guest_exec
        agent.os = {"id": "mswindows", "pretty-name": "Windows 11 Pro", "kernel-release": "22631"}
        agent.guest_exec = self.guest_exec
        opened = agent.guest_file_open
        agent.guest_file_open = lambda path, mode: opened(str(self.here(path)), mode)

    def here(self, path):
        if not path.startswith(self.root):
            raise FileNotFoundError(path)
        return self.folder.joinpath(*path.removeprefix(self.root).split("\\"))
