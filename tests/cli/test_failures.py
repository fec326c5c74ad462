# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong around nestctl: the socket, the daemon, the arguments, the output."""
import json
import os
import subprocess
import threading
import unittest

import fixtures as f
from harness import NESTCTL, SECONDS, CliTest, environment
from stub import Answer, Close, Cut, Stream, problem

VMS = "GET /v1/vms"


class Reaching(CliTest):
    def test_nobody_is_there(self):
        _, err = self.run_nestctl("--socket", "/nonexistent/s", "list", status=19, socket=False)
        self.assertIn("no nestd answers on /nonexistent/s", err)
        self.assertIn("  next  is nestd running? systemctl start nestd; or", err)

    def test_stale_socket(self):
        self.stub.server.shutdown()
        self.stub.server.server_close()
        _, err = self.run_nestctl("list", status=19)
        self.assertIn("no nestd answers", err)

    def test_socket_from_the_environment(self):
        self.stub.routes[VMS] = Answer({"vms": [f.summary()]})
        out, _ = self.run_nestctl(
            "list", "--names", socket=False, env={"NESTD_SOCKET": self.stub.path})
        self.assertEqual(out, "DemoVM\n")

    def test_a_path_that_is_too_long(self):
        self.run_nestctl("--socket", "/" + "x" * 300, "list", status=19, socket=False)

    @unittest.skipIf(os.geteuid() != 0, "needs another user to be refused")
    def test_no_permission(self):
        os.chmod(self.folder, 0o755)
        os.chmod(self.stub.path, 0o600)
        program = os.path.join(self.folder, "nestctl")
        with open(NESTCTL, "rb") as source, open(program, "wb") as copy:
            copy.write(source.read())
        os.chmod(program, 0o755)
        ended = subprocess.run([program, "--socket", self.stub.path, "list"], user=65534,
                               capture_output=True, timeout=SECONDS, env=environment(), check=False)
        self.assertEqual(ended.returncode, 9, ended.stderr)
        self.assertIn(b"add yourself to group nestd", ended.stderr)

    def test_the_connection_ends(self):
        for answer in (Close(), Cut()):
            self.stub.routes[VMS] = answer
            out, err = self.run_nestctl("list", status=19)
            self.assertEqual(out, "")
            self.assertIn("ended before it answered", err)


class Answers(CliTest):
    def check_refused(self, answer, status, said):
        self.stub.routes[VMS] = answer
        out, err = self.run_nestctl("list", status=status)
        self.assertEqual(out, "")
        self.assertIn(said, err)

    def test_not_json(self):
        self.check_refused(Answer(raw=b"{garbage"), 3, "can't be understood")
        self.check_refused(Answer(raw=b'{"vms":[],"vms":[]}'), 3, "can't be understood")
        self.check_refused(Answer(raw=b"[" * 100000), 3, "can't be understood")
        self.check_refused(Answer(raw=b"\xff\xfe"), 3, "can't be understood")

    def test_not_what_was_asked_for(self):
        for body in ({}, [], {"vms": {}}, {"vms": [1]}, {"vms": [{"name": "a"}]},
                     {"vms": [{"name": 1, "uuid": "u"}]}):
            self.check_refused(Answer(body), 3, "can't be understood")
        self.check_refused(Answer(raw=b""), 3, "can't be understood")

    def test_not_nestd(self):
        self.check_refused(Answer(raw=b"<html>", content_type="text/html"), 19, "not speak like")
        self.check_refused(Answer(raw=b"{}", content_type="none"), 19, "not speak like")

    def test_failure_without_words(self):
        self.check_refused(Answer(raw=b"", status=500), 3, "without saying why")
        self.check_refused(Answer(raw=b"oops", status=502, content_type="text/plain"), 3,
                           "without saying why")
        self.check_refused(Answer({}, status=500), 3, "HTTP status 500")

    def test_problems(self):
        self.check_refused(problem("backend-opening", 503, "it opens"), 11, "it opens")
        self.check_refused(problem("of-a-newer-daemon", 418, "teapot"), 3, "teapot")

    def test_redirects_are_not_followed(self):
        self.check_refused(Answer(raw=b"", status=302), 19, "not speak like")

    def test_too_large(self):
        self.stub.routes[VMS] = Answer(raw=b" " * (257 << 20))
        _, err = self.run_nestctl("list", status=2)
        self.assertIn("larger than 256 MiB", err)

    def test_escapes_in_problems(self):
        self.check_refused(problem("internal", 500, "a\x1b]0;owned\x07b"), 3,
                           r"a\x1b]0;owned\x07b")

    def test_words_that_are_not_understood_as_json(self):
        for words in (["frob", "--json"], ["host", "--json"], ["status", "--bogus", "--json"]):
            out, _ = self.run_nestctl(*words, status=2)
            self.assertEqual(json.loads(out)["problem"]["kind"], "usage")
        self.assertEqual(self.run_nestctl("frob", "--", "--json", status=2)[0], "")

    def test_as_json(self):
        self.stub.routes[VMS] = problem("forbidden", 403, "no", "ask")
        out, _ = self.run_nestctl("list", "--json", status=9)
        self.assertEqual(json.loads(out)["problem"]["kind"], "forbidden")
        self.assertEqual(json.loads(out)["problem"]["next"], "ask")


class Usage(CliTest):
    def test_wrong_words(self):
        for words, said in ((["frobnicate"], 'no command "frobnicate"'), (["show"], "needs VM"),
                            (["show", "a", "b"], "needs VM"), (["list", "a"], "no operands"),
                            (["list", "--frob"], "--frob"), (["--frob", "list"], "--frob"),
                            (["create"], "needs NAME"), (["operation", "0"], "must be a number"),
                            (["operations", "--limit", "x"], "must be a number"),
                            (["shutdown", "a", "--timeout", "0"], "must be a number"),
                            (["help", "frob"], "no command"), (["events", "--after"], "after")):
            _, err = self.run_nestctl(*words, status=2)
            self.assertIn(said, err)
        self.assertEqual(self.stub.requests, [])

    def test_bytes_that_are_no_text(self):
        ended = subprocess.run([NESTCTL, "show", b"\xff\xfe"], capture_output=True,
                               timeout=SECONDS, env=environment(), check=False)
        self.assertEqual(ended.returncode, 2)
        self.assertIn(b"not valid UTF-8", ended.stderr)

    def test_options_before_and_after(self):
        self.stub.routes[VMS] = Answer({"vms": []})
        for words in (["--json", "list"], ["list", "--json"]):
            out, _ = self.run_nestctl(*words)
            self.assertEqual(json.loads(out), {"vms": []})

    def test_operands_after_dashes(self):
        self.stub.routes["GET /v1/vms/--json"] = Answer(f.vm("--json"))
        out, _ = self.run_nestctl("show", "--", "--json")
        self.assertIn("name            --json\n", out)

    def test_names_of_the_program(self):
        for name in ("Get-NestedVirtStatus", "get-nestedvirtstatus"):
            link = os.path.join(self.folder, name)
            os.symlink(os.path.abspath(NESTCTL), link)
            self.stub.routes["GET /v1/host"] = Answer(f.host())
            self.stub.routes["GET /v1/vms"] = Answer({"vms": []})
            ended = subprocess.run([link], capture_output=True, timeout=SECONDS, check=False,
                                   env=environment(NESTD_SOCKET=self.stub.path))
            self.assertEqual(ended.returncode, 0, ended.stderr)
            os.unlink(link)

    def test_help(self):
        out, _ = self.run_nestctl("help", "enable")
        self.assertIn("--no-mac-spoofing", out)
        self.assertEqual(self.run_nestctl("enable", "--help")[0], out)
        self.assertEqual(self.run_nestctl("-h")[0], self.run_nestctl("help")[0])
        _, err = self.run_nestctl(status=2)
        self.assertIn("no command is given", err)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            ended = subprocess.run([NESTCTL, "help"], stdout=full, stderr=subprocess.PIPE,
                                   timeout=SECONDS, env=environment(), check=False)
        self.assertEqual(ended.returncode, 3)
        self.assertIn(b"could not be written", ended.stderr)

    def test_why_it_cannot_be_written(self):
        """Also where that shows long before the end."""
        self.stub.routes[VMS] = Answer({"vms": [f.summary() for _ in range(500)]})
        for extra in ([], ["--json"]):
            with open("/dev/full", "wb") as full:
                ended = subprocess.run(
                    [NESTCTL, "--socket", self.stub.path, "list", *extra], stdout=full,
                    stderr=subprocess.PIPE, timeout=SECONDS, env=environment(), check=False)
            self.assertEqual(ended.returncode, 3)
            self.assertIn(b"No space left on device", ended.stderr)

    def test_output_that_nobody_reads(self):
        """As with | head: without a word."""
        self.stub.routes[VMS] = Answer({"vms": [f.summary() for _ in range(500)]})
        for words in (["list"], ["list", "--json"]):
            end, begin = os.pipe()
            os.close(end)
            ended = subprocess.run([NESTCTL, "--socket", self.stub.path, *words], stdout=begin,
                                   stderr=subprocess.PIPE, timeout=SECONDS, env=environment(),
                                   check=False)
            os.close(begin)
            self.assertEqual((ended.returncode, ended.stderr), (141, b""))


class Events(CliTest):
    def test_pages(self):
        def page(query, body):
            after = int(dict(p.split("=") for p in query.split("&"))["after"])
            return Answer({"events": [f.event(i) for i in range(1, 6) if i > after][:2]})
        self.stub.routes["GET /v1/events"] = page
        out, _ = self.run_nestctl("events")
        self.assertEqual(len(out.splitlines()), 5)
        self.assertIn("2023-11-14 22:13:20  1      DemoVM was started\n", out)
        out, _ = self.run_nestctl("events", "--after", "3", "--json")
        self.assertEqual([json.loads(line)["id"] for line in out.splitlines()], [4, 5])

    def test_follow_goes_on_where_it_left_off(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.stub.routes["GET /v1/events"] = [
            Stream([f.event(7), f.event(8)]), Close(), Stream([f.event(8), f.event(9)], hold)]
        terminal = self.terminal("events", "-f", "--json")
        for id_ in (7, 8, 9):
            self.assertEqual(terminal.expect(f'"id": {id_},').count('"id"'), 1)
        headers = self.stub.headers["GET /v1/events"]
        self.assertNotIn("Last-Event-ID", headers[0])
        self.assertEqual(headers[2]["Last-Event-ID"], "8")
        terminal.send("\x03")
        self.assertEqual(terminal.end()[0], 0)

    def test_follow_ends_where_nobody_reads(self):
        """As with | head: at once, and without a word."""
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.stub.routes["GET /v1/events"] = Stream([f.event(7)], hold)
        for extra in ([], ["--json"]):
            end, begin = os.pipe()
            os.close(end)
            ended = subprocess.run([NESTCTL, "--socket", self.stub.path, "events", "-f", *extra],
                                   stdout=begin, stderr=subprocess.PIPE, timeout=SECONDS,
                                   env=environment(), check=False)
            os.close(begin)
            self.assertEqual((ended.returncode, ended.stderr), (141, b""))

    def test_follow_refused(self):
        self.stub.routes["GET /v1/events"] = problem("forbidden", 403, "you may not")
        _, err = self.run_nestctl("events", "-f", status=9)
        self.assertIn("you may not", err)


class Remote(CliTest):
    """--host with an ssh that runs what it is given here."""

    def setUp(self):
        super().setUp()
        ssh = os.path.join(self.folder, "ssh")
        with open(ssh, "w", encoding="utf-8") as script:
            script.write('#!/bin/sh\nprintf "%s\\n" "$@" >&2\nPATH="${0%/*}" exec /bin/sh -c "$4"\n')
        os.chmod(ssh, 0o755)
        os.symlink(os.path.abspath(NESTCTL), os.path.join(self.folder, "nestctl"))
        self.env = {"PATH": self.folder + ":" + os.environ["PATH"]}

    def test_the_same_command_runs_there(self):
        name = "a b'c$(x)"
        self.stub.routes["GET /v1/vms/a%20b%27c%24%28x%29"] = Answer(f.vm(name))
        out, err = self.run_nestctl("--host", "me@there", "show", name, env=self.env)
        self.assertIn(f"name            {name}\n", out)
        self.assertEqual(err.splitlines()[:3], ["-T", "--", "me@there"])
        self.assertNotIn("--host", err)
        self.run_nestctl("show", "--host=me@there", "nope", status=2, env=self.env)

    def test_a_host_that_is_an_option(self):
        self.run_nestctl("--host=-oProxyCommand=x", "list", status=2, env=self.env)


if __name__ == "__main__":
    unittest.main()
