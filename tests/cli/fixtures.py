# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers of nestd as its API documents them."""

UUID = "7f3c1d8e-5b1a-4f1e-9a52-0d6f3c2b1a90"
GIB = 1024 * 1024


def check(id_, verdict="pass", message=None, fix=None, read=None):
    return {"id": id_, "title": f"title of {id_}", "verdict": verdict,
            "message": message or f"message of {id_}", "read": read, "fix": fix}


def info(id_, **changes):
    value = {"id": id_, "scope": id_.split(".")[0], "title": f"title of {id_}", "level": "fail",
             "meaning": f"What {id_} looks at.\nAnd where.", "why": "It matters.", "fix": "Do this.",
             "source": "a book"}
    value.update(changes)
    return value


def report(*checks, uuid=None, name="lab01", supports=True):
    return {"uuid": uuid, "name": name, "supports": supports, "checks": list(checks)}


def host(**changes):
    value = {
        "name": "lab01", "manufacturer": "ACME", "model": "Server", "os": "Debian GNU/Linux 12",
        "kernel": "6.1.0-37-amd64", "arch": "x86_64", "cpu_vendor": "GenuineIntel",
        "cpu_model": "Intel Xeon Gold 6338", "cpus": 64, "extension": "vmx", "slat": True,
        "firmware_locked": False, "kvm_module": "kvm_intel", "nested_parameter": "Y",
        "kvm_usable": True, "kvm_error": None, "hypervisor_present": False,
        "outer_hypervisor": None, "extension_owner": None, "qemu_version": "7.2.22",
        "libvirt_version": "9.0.0", "backend_uri": "qemu:///embed", "supports": True,
        "tcg_supports": True, "checks": [check("host.cpu.extension")]}
    value.update(changes)
    return value


def proof(proved=True, **changes):
    value = {
        "proved": proved, "code": "proved" if proved else "locked",
        "message": "inner code ran" if proved else "firmware has switched the extension off",
        "extension": "vmx", "cpu_vendor": "GenuineIntel", "hypervisor": "KVMKVMKVM",
        "locked": not proved, "tsc_khz": 2000000, "capabilities": ["ept", "vpid"],
        "missing": ["posted-interrupts"], "accel": "kvm", "time": 1000, "duration_ms": 420,
        "passes": [{"name": "shadow", "result": "ok"}, {"name": "real-mode", "result": "absent"}],
        "exits": [{"pass": "shadow", "kind": "cpuid", "count": 64, "min_cycles": 2000,
                   "median_cycles": 2500}] if proved else [],
        "kernel": "6.1", "qemu_version": "7.2.22", "libvirt_version": "9.0.0",
        "nested_parameter": "Y", "outdated": False}
    value.update(changes)
    return value


def software_host():
    return host(extension="none", nested_parameter=None, supports=False, kvm_module=None, checks=[
        check("host.cpu.extension", "fail", "the CPU has no virtualization extension",
              "switch on VT-x or AMD-V in the firmware"),
        check("host.kvm.usable", "warn", "KVM runs in software")])


def vm(name="DemoVM", **changes):
    value = {
        "uuid": UUID, "name": name, "state": "running", "accel": "kvm", "nesting": "on",
        "activity": "hosting", "supports": True, "extension": "vmx", "pending": False, "memory_kib": 4 * GIB,
        "memory_min_kib": 4 * GIB, "dynamic_memory": False, "mac_spoofing": True, "vcpus": 2,
        "cpu_mode": "host-passthrough", "cpu_model": None, "machine": "pc-q35-7.2",
        "saved_state": False, "saved_bytes": 0, "snapshots": 0, "autostart": False, "console_log": None,
        "operation": 0, "revision": "r1", "interfaces": [
            {"type": "bridge", "source": "br0", "mac": "52:54:00:12:34:56", "target": "vnet0",
             "filter": None}],
        "checks": [], "of_a_newer_daemon": {"unknown": [1]}}
    value.update(changes)
    return value


def unfit_vm(name="win11", **changes):
    fix = f"nestctl enable {name}"
    return vm(name, state="off", nesting="off", activity="none", supports=False, memory_min_kib=2 * GIB,
              memory_kib=8 * GIB, dynamic_memory=True, checks=[
                  check("vm.exposed", "fail", "virtualization extensions are not exposed", fix,
                        "domain XML: cpu mode host-model"),
                  check("vm.mem.dynamic", "fail", "dynamic memory is on (2–8 GiB)", fix)],
              **changes)


def summary(name="DemoVM", **changes):
    value = {"uuid": UUID, "name": name, "state": "running", "accel": "kvm", "nesting": "on",
             "supports": True, "failed": 0, "warnings": 0, "memory_kib": 4 * GIB,
             "memory_min_kib": 0, "vcpus": 2}
    value.update(changes)
    return value


def summary_of(vm_):
    failed = [check_["id"] for check_ in vm_["checks"] if check_["verdict"] == "fail"]
    same = ("uuid", "name", "state", "accel", "nesting", "activity", "supports", "memory_kib",
            "memory_min_kib", "vcpus")
    return {**{name: vm_[name] for name in same}, "failed": len(failed), "errors": failed,
            "warnings": sum(check_["verdict"] in ("warn", "unknown") for check_ in vm_["checks"])}


def item(id_, title, current=None, target=None, detail=None, optional=False, destructive=False):
    return {"id": id_, "title": title, "current": current, "target": target, "detail": detail,
            "optional": optional, "destructive": destructive}


def plan_items():
    return [
        item("saved-state", "saved state removed", None, None,
             "its 812 MiB of saved memory are lost", destructive=True),
        item("power-off", "shut down", None, None, "it is running since 09:12"),
        item("extensions", "virtualization extensions exposed", "cpu host-model",
             "host-passthrough + vmx"),
        item("dynamic-memory", "dynamic memory off", "1–4 GiB", "4 GiB fixed"),
        item("mac-spoofing", "MAC spoofing allowed on vnet0", None, None,
             "without it inner VMs have no network", optional=True),
        item("memory", "memory raised to 4 GiB", "2 GiB", "4 GiB",
             "below that inner VMs may not start", optional=True)]


def plan(hash_="h1", items=None, verdict="steps", **changes):
    value = {"hash": hash_, "uuid": UUID, "name": "DemoVM", "enable": True, "verdict": verdict,
             "items": plan_items() if items is None else items, "warnings": [], "problem": None}
    value.update(changes)
    return value


def step(title, state="done", milliseconds=0):
    started = 0 if state == "pending" else 1700000000000
    return {"id": title.replace(" ", "-"), "title": title, "state": state, "started": started,
            "finished": started + milliseconds if state == "done" else 0}


def operation(state="done", kind="enable", steps=None, **changes):
    value = {"id": 12, "kind": kind, "uuid": UUID, "name": "DemoVM", "state": state,
             "created": 1700000000000, "started": 1700000000000,
             "finished": 0 if state in ("pending", "running") else 1700000005000, "uid": 1000,
             "pid": 4242, "steps": steps or [], "note": None, "problem": None}
    value.update(changes)
    return value


def problem_record(kind="hypervisor", detail="QEMU refused", next_="look at its log", check=None):
    return {"kind": kind, "title": "title", "detail": detail, "next": next_, "check": check}


def event(id_, message="DemoVM was started", **changes):
    value = {"id": id_, "time": 1700000000000 + id_, "kind": "vm-started", "uuid": UUID,
             "name": "DemoVM", "operation": 0, "message": message}
    value.update(changes)
    return value


def revision(id_=3, **changes):
    value = {"id": id_, "time": 1700000000000, "kind": "enable", "operation": 12, "uid": 1000,
             "summary": "memory: 1–4 GiB → 4 GiB"}
    value.update(changes)
    return value


def about():
    return {"version": "0.1.0", "backend": "open", "backend_uri": "qemu:///embed",
            "problem": None, "started": 1700000000000, "vms": 1}
