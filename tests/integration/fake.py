# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestd over the fake hypervisor, and VMs with everything wrong in them."""

import pathlib
import sys
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
            number = self.host.define(xml.format(name=name, uuid=uuid.uuid4()), **fields)
            if fields.get("state") == "running":
                self.host.start(name)
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
