# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestd over the fake hypervisor, and VMs with everything wrong in them."""

import contextlib
import pathlib
import sys
import time
import uuid

import nestd

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fake"))
from nest_fake import FakeHost  # noqa: E402

XML = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='KiB'>2097152</memory>
  <currentMemory unit='KiB'>1048576</currentMemory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <!-- kept -->
  <cpu mode='maximum' check='none' migratable='on'>
    <topology sockets='1' dies='1' cores='2' threads='1'/>
    <feature policy='disable' name='svm'/>
  </cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <interface type='bridge'>
      <mac address='52:54:00:11:22:33'/>
      <source bridge='br0'/>
      <model type='virtio'/>
      <filterref filter='clean-traffic'/>
    </interface>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""


class Fake(nestd.Daemon):
    """nestd over the fake hypervisor; wait: until that is open."""

    def __init__(self, environment=None, **more):
        super().__init__(nestd.FAKE, **more)
        self.host = FakeHost(self.directory / "fake")
        self.environment["NEST_FAKE_DIR"] = str(self.host.directory)
        self.environment.update(environment or {})

    def __enter__(self):
        super().__enter__()
        self.wait_backend()
        return self

    def define(self, name, xml=XML, **fields):
        """A VM with everything wrong, known to nestd."""
        with self.events() as events:
            text = xml.format(name=name, uuid=uuid.uuid4())
            if fields.get("state") == "running":
                fields = {"live_xml": text, **fields}
            number = self.host.define(text, **fields)
            events.wait_for(kind="vm-added", uuid=number)
        return number

    def plan(self, name, enabled=True, decline=()):
        body = {"enabled": enabled, "decline": list(decline)}
        answer = self.request("POST", f"/v1/vms/{name}/nested/plan", body)
        if answer.status != 200:
            raise AssertionError(answer)
        return answer.json

    def nested(self, name, enabled=True, **more):
        return self.request("PUT", f"/v1/vms/{name}/nested", {"enabled": enabled, **more})

    # ---- what happens while a call to the hypervisor is under way ----

    def under_way(self, slot, number=None):
        """The calls of slot, concerning the VM of that UUID, that have not ended."""
        return [call for call in self.host.calls()
                if call[0] == slot and number in (None, call[1]) and call[2] is None]

    def count(self, slot, number=None):
        """How many calls of slot, concerning that VM, have begun."""
        return sum(call[0] == slot and number in (None, call[1]) for call in self.host.calls())

    @contextlib.contextmanager
    def holding(self, slot, number=None, later=0, *more):
        """Holds the next call of slot, or the one so many later, until the end of the block.
        more: other rules. Within, held() waits for the call."""
        at = slot if number is None else f"{slot}@{number}"
        while True:
            seen = self.count(slot, number)
            rule = f"{at}:{seen + later + 1}:hang"
            self.host.control(rule, *more)
            if self.count(slot, number) == seen:  # else one came between, which may not know it
                break
        try:
            yield lambda: eventually(lambda: rule in self.host.struck())
        finally:
            self.host.control(*more)


def put(path, text):
    """Gives a file that nestd may be reading other content, all at once."""
    following = path.with_name(f".{path.name}.next")
    following.write_text(text, encoding="utf-8")
    following.rename(path)


def eventually(condition, timeout=nestd.REPLY_DEADLINE):
    """Waits for what nobody tells, and returns it; fails at the deadline."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come true in time")
        time.sleep(0.005)
    return found
