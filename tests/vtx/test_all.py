#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What takes too long for each run: a host whose firmware locks VT-x away."""

import bed

NO = "Supports nested virtualization: NO"
FAILED = 1  # a check did


class TestLockedByFirmware(bed.Case):
    scenario = "cannot"
    locked = True

    def test_verdict(self):
        self.assertNotEqual(self.log.step("kvm").status, 0)
        self.ended("status", FAILED, NO, "host.bios.lock", "Firmware has locked the extension.")
        self.assertNotEqual(self.log.step("prove").status, 0)
        self.assertNotEqual(self.log.step("create").status, 0)


if __name__ == "__main__":
    bed.main()
