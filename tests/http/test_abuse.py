# SPDX-License-Identifier: LGPL-2.1-or-later
"""What clients do that mean no good, over the real socket."""
import json
import os
import select
import socket
import stat
import subprocess
import threading
import time
import unittest

from nest_stub import NOBODY, WAIT, Client, Stub, eventually

AS_ROOT = unittest.skipUnless(os.geteuid() == 0, "only root can be others")
# The address sanitizer keeps freed memory for a while.
MEMORY_FACTOR = 2 if "ASAN_OPTIONS" in os.environ else 1
HOST = b"Host: a\r\n"


class Case(unittest.TestCase):
    arguments = ()

    def setUp(self):
        self.stub = Stub(*self.arguments)
        self.addCleanup(self.stub.stop)

    def raw(self, data):
        with self.stub.client() as client:
            return client.send(data).reply()

    def alive(self):
        with self.stub.client() as client:
            self.assertEqual(client.ask("GET", "/v1").status, 200)


class Large(Case):
    """Bodies that only one route takes, one at a time for each user."""

    def head(self, length, path="/v1/plan"):
        return (f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                f"Content-Length: {length}\r\n\r\n").encode()

    def body(self, text, size):
        wish = json.dumps({"xml": text + "x" * size, "enabled": True})
        return self.head(len(wish)) + wish.encode()

    def status(self):
        return self.raw(self.body("<", 4 << 20)).status

    def becomes(self, status):
        self.assertTrue(eventually(lambda: self.status() == status))

    def test_one_at_a_time(self):
        self.assertEqual(self.status(), 200)
        with self.stub.client() as first, self.stub.client() as second:
            first.send(self.head(2 << 20)).send(b"{")
            self.becomes(429)
            self.assertEqual(second.send(self.body("small", 1000)).reply().status, 200)
        self.becomes(200)

    def test_held_until_the_core_is_done(self):
        """Also after the client has gone: what it sent is still there."""
        with self.stub.client() as client:
            client.send(self.body("silent", 2 << 20))
            self.becomes(429)
        self.alive()
        self.assertEqual(self.status(), 429)

    def test_held_until_the_reply_is_read(self):
        with self.stub.client() as client:
            client.send(self.body("read", 4 << 20))
            self.becomes(429)
            client.fill()
            self.assertEqual(self.status(), 429)
            self.assertEqual(client.reply().status, 200)
        self.becomes(200)

    def test_other_routes(self):
        self.assertEqual(self.raw(self.head(2 << 20, "/v1/vms")).status, 413)
        self.assertEqual(self.raw(self.head(2 << 20, "/v1/nothing")).status, 413)
        self.assertEqual(self.raw(self.head(16 << 20)).status, 413)

    @AS_ROOT
    def test_not_for_strangers(self):
        with self.stub.client(uid=NOBODY) as client:
            self.assertEqual(client.send(self.head(2 << 20)).reply().status, 413)


class Parsing(Case):
    corpus = {
        b"GET /v1 HTTP/1.0\r\n\r\n": 200,
        b"\r\nGET /v1 HTTP/1.1\r\n" + HOST + b"\r\n": 200,
        b"GET /v1 HTTP/1.1\r\nHost: %2Frun%2Fx.sock\r\n\r\n": 200,
        b"GET /v1 HTTP/1.1\r\n\r\n": 400,
        b"GET /v1 HTTP/1.1\n" + b"Host: a\n\n": 400,
        b"GET /v1\r\n\r\n": 400,
        b"\x16\x03\x01\x02\x00\x01\x00\x01": 400,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 400,
        b"GET http://a/v1 HTTP/1.1\r\n" + HOST + b"\r\n": 400,
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n": 400,
        b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n": 400,
        b"GET /v1/vms/../../etc HTTP/1.1\r\n" + HOST + b"\r\n": 404,
        b"GET /v1/vms/.. HTTP/1.1\r\n" + HOST + b"\r\n": 404,
        b"GET //v1 HTTP/1.1\r\n" + HOST + b"\r\n": 404,
        b"GET /v1/vms/%2e%2e HTTP/1.1\r\n" + HOST + b"\r\n": 404,
        b"GET /v1/vms/a%2fstate HTTP/1.1\r\n" + HOST + b"\r\n": 404,
        b"GET /v1/vms/%00 HTTP/1.1\r\n" + HOST + b"\r\n": 400,
        b"GET /v1/vms/\x00 HTTP/1.1\r\n" + HOST + b"\r\n": 400,
        b"GET /v1 HTTP/1.1\r\n" + HOST + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n": 200,
        b"GET /v1 HTTP/1.1\r\n" + HOST + b"Range: bytes=0-1\r\n\r\n": 200,
        b"GET /v1 HTTP/1.1\r\n" + HOST + b"X-HTTP-Method-Override: DELETE\r\n\r\n": 200,
        b"GET /v1 HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n": 400,
        b"GET /v1 HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n": 400,
        b"GET /v1 HTTP/1.1\r\n" + HOST + b"Content-Length: 9223372036854775808\r\n\r\n": 413,
        b"GET /v1 HTTP/1.1\r\n" + HOST + b"Content-Length: 1048577\r\n\r\n": 413,
        b"PUT /v1 HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 411,
        b"PUT /v1 HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 411,
        b"GET /v1 HTTP/1.1\r\n" + HOST + b"A: " + b"a" * 20000 + b"\r\n\r\n": 431,
        b"GET /" + b"a" * 20000: 431,
        b"A" * 17000: 431,
        b"GET /v1/" + b"a" * 15000 + b" HTTP/1.1\r\n" + HOST + b"\r\n": 404,
    }

    def test_corpus(self):
        for request, status in self.corpus.items():
            with self.subTest(request=request[:80]):
                reply = self.raw(request)
                self.assertEqual(reply.status, status, reply.body)
                if status != 200:
                    self.assertEqual(json.loads(reply.body)["status"], status)
        self.alive()

    def test_refused_connections_end(self):
        for request, status in self.corpus.items():
            if status not in (400, 411, 413, 431) or b"%00" in request:
                continue
            with self.stub.client() as client:
                client.send(request)
                self.assertEqual(client.reply().headers["connection"], "close", request[:80])
                client.sock.shutdown(socket.SHUT_WR)
                self.assertTrue(client.ended(), request[:80])

    def test_large_body_is_answered(self):
        """The client can still send it all, and sees why it was refused."""
        with self.stub.client() as client:
            client.send(b"POST /v1/vms HTTP/1.1\r\n" + HOST + b"Content-Length: 2097152\r\n\r\n")
            client.send(b"x" * (2 << 20))
            self.assertEqual(client.reply().status, 413)
        body = b'{"name":"a","memory_kib":1,"disk":"' + b"a" * (1 << 20)
        for size, status in ((1 << 20, 202), ((1 << 20) + 1, 413)):
            text = body[:size - 2] + b'"}'
            with self.stub.client() as client:
                self.assertEqual(client.ask("POST", "/v1/vms", text).status, status)

    def test_pieces(self):
        """However a request is cut, it is the same request."""
        text = b"PUT /v1/vms/vm0/state HTTP/1.1\r\n" + HOST + \
            b"Content-Type: application/json\r\nContent-Length: 15\r\n\r\n" + b'{"state":"off"}'
        with self.stub.client() as client:
            for cut in range(1, len(text), 7):
                client.send(text[:cut])
                time.sleep(0.002)
                client.send(text[cut:])
                self.assertEqual(client.reply().status, 202)

    def test_pipelining(self):
        with self.stub.client() as client:
            client.send((b"GET /v1 HTTP/1.1\r\n" + HOST + b"\r\n") * 3)
            self.assertEqual([client.reply().status for _ in range(3)], [200] * 3)
            client.send((b"GET /v1 HTTP/1.1\r\n" + HOST + b"\r\n") * 500)
            client.send(b"GET /v1/no HTTP/1.1\r\n" + HOST + b"\r\n")
            client.send(b"GET /v1/host HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            client.sock.shutdown(socket.SHUT_WR)
            self.assertEqual([client.reply().status for _ in range(502)], [200] * 500 + [404, 200])
            self.assertTrue(client.ended())

    def test_expect(self):
        with self.stub.client() as client:
            head = b"PUT /v1/vms/vm0/state HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\n" + \
                b"Content-Type: application/json\r\nContent-Length: 15\r\n\r\n"
            client.send(head)
            self.assertEqual(client.until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n")
            client.send(b'{"state":"off"}')
            self.assertEqual(client.reply().status, 202)
            client.send(head.replace(b"15", b"1500000"))
            self.assertEqual(client.reply().status, 413)

    def test_gone_at_every_byte(self):
        text = b"PUT /v1/vms/late/state HTTP/1.1\r\n" + HOST + \
            b"Content-Type: application/json\r\nContent-Length: 15\r\n\r\n" + b'{"state":"off"}'
        for end in range(0, len(text) + 1):
            with self.stub.client() as client:
                client.send(text[:end])
            # A request through: those that are gone are noticed, and don't count for the caps.
            self.alive()
        self.assertTrue(eventually(lambda: self.stub.fds() == self.stub.quiet))


class Deadlines(Case):
    arguments = ("head=300", "request=600", "idle=400", "write=500", "linger=300")

    def elapsed(self, client, since, low):
        """It is sent away, and not before that time since then."""
        self.assertTrue(client.ended())
        self.assertGreaterEqual(time.monotonic() - since, low)

    def gone(self, client):
        """Waits until the server has closed, without reading what it sent."""
        poll = select.poll()
        poll.register(client.sock, 0)
        self.assertTrue(poll.poll(WAIT * 1000))
        self.assertTrue(eventually(lambda: self.stub.fds() == self.stub.quiet))

    def test_silent(self):
        since = time.monotonic()
        with self.stub.client() as client:
            self.elapsed(client, since, 0.2)

    def test_half_a_head(self):
        since = time.monotonic()
        with self.stub.client() as client:
            self.elapsed(client.send(b"GET /v1 HT"), since, 0.2)

    def test_half_a_head_after_a_request(self):
        self.stub.replace("head=300", "idle=20000")
        with self.stub.client() as client:
            self.assertEqual(client.ask("GET", "/v1").status, 200)
            since = time.monotonic()
            self.elapsed(client.send(b"GET /v1 HT"), since, 0.2)

    def test_half_a_body(self):
        since = time.monotonic()
        with self.stub.client() as client:
            client.send(b"PUT /v1 HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n{")
            self.elapsed(client, since, 0.4)

    def drip(self, client, data):
        for byte in data:
            try:
                client.send(bytes([byte]))
            except OSError:
                return True
            time.sleep(0.05)
        return False

    def test_drip(self):
        with self.stub.client() as client:
            self.assertTrue(self.drip(client, b"GET /v1 HTTP/1.1\r\nA: " + b"a" * 60))
        with self.stub.client() as client:
            client.send(b"PUT /v1 HTTP/1.1\r\n" + HOST + b"Content-Length: 99\r\n\r\n")
            self.assertTrue(self.drip(client, b"a" * 60))
        with self.stub.client() as client:
            self.assertTrue(self.drip(client, b"\r\n" * 60))

    def test_idle(self):
        self.stub.replace("idle=3000")
        with self.stub.client() as client:
            for _ in range(7):
                since = time.monotonic()
                self.assertEqual(client.ask("GET", "/v1").status, 200)
                time.sleep(0.5)
            self.elapsed(client, since, 2.5)

    def test_idle_is_longer_than_a_head(self):
        self.stub.replace("head=200", "idle=20000")
        with self.stub.client() as client:
            self.assertEqual(client.ask("GET", "/v1").status, 200)
            time.sleep(0.5)
            self.assertEqual(client.ask("GET", "/v1").status, 200)

    def test_client_gone_while_core_is_silent(self):
        """Seen at once, not only when the reply is due."""
        with self.stub.client() as client:
            client.send(b"DELETE /v1/vms/silent HTTP/1.1\r\n" + HOST + b"\r\n")
            self.assertTrue(eventually(lambda: self.stub.fds() > self.stub.quiet))
            time.sleep(0.1)
        self.assertTrue(eventually(lambda: self.stub.fds() == self.stub.quiet, WAIT / 2))

    def test_linger(self):
        with self.stub.client() as client:
            client.send(b"PUT /v1 HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
            self.assertEqual(client.reply().status, 411)
            self.assertTrue(eventually(lambda: self.drip(client, b"a")))

    def test_unread_reply(self):
        with self.stub.client() as client:
            client.send((b"GET /v1/openapi.json HTTP/1.1\r\n" + HOST + b"\r\n") * 50)
            self.gone(client)

    def test_unread_events(self):
        with self.stub.client() as client:
            spec = {"name": "flood", "memory_kib": 5000}
            self.assertEqual(client.ask("POST", "/v1/vms", spec).status, 202)
        with self.stub.client() as client:
            client.send(b"GET /v1/events?after=0 HTTP/1.1\r\n" + HOST + b"\r\n")
            self.gone(client)


class Crowds(Case):
    def usual(self, count):
        """How long a request takes, of that many the median."""
        times = []
        with self.stub.client() as victim:
            for _ in range(count):
                start = time.monotonic()
                self.assertEqual(victim.ask("GET", "/v1").status, 200)
                times.append(time.monotonic() - start)
        return sorted(times)[count // 2]

    @AS_ROOT
    def test_one_user_cannot_crowd_out_others(self):
        alone = self.usual(200)
        crowd = [self.stub.client(NOBODY) for _ in range(300)]
        for client in crowd:
            self.addCleanup(client.sock.close)
        self.assertLess(self.usual(200), max(0.02, 5 * alone))
        self.assertTrue(eventually(lambda: self.stub.fds() < 60))
        self.assertLessEqual(self.stub.text().count("connections are refused"), 3)

    @AS_ROOT
    def test_root_gets_in_when_all_is_taken(self):
        self.stub.replace("connections=20")
        crowd = [self.stub.client(1 + n % 10) for n in range(100)]
        for client in crowd:
            self.addCleanup(client.sock.close)
        self.alive()
        with self.stub.client(4242) as client:
            self.assertTrue(client.ended())

    def test_places_are_given_back(self):
        for _ in range(1000):
            self.stub.client().sock.close()
        for _ in range(200):
            with self.stub.client() as client:
                client.ask("GET", "/v1")
        self.assertTrue(eventually(lambda: self.stub.fds() == self.stub.quiet))
        self.alive()

    def test_no_descriptor_left(self):
        began = time.monotonic()
        stub = Stub(nofile=24)
        self.addCleanup(stub.stop)
        crowd = [stub.client() for _ in range(30)]
        self.assertTrue(eventually(lambda: "can be accepted" in stub.text()))
        before = stub.cpu_seconds()
        time.sleep(1)
        self.assertLess(stub.cpu_seconds() - before, 0.2)
        told = stub.text().count("can be accepted")
        self.assertLessEqual(told, 3 + time.monotonic() - began)  # once a second
        for client in crowd:
            client.sock.close()
        with stub.client() as client:
            self.assertEqual(client.ask("GET", "/v1").status, 200)

    def test_memory(self):
        self.alive()
        before = self.stub.rss_kib()
        clients = [self.stub.client() for _ in range(30)]
        for client in clients:
            self.addCleanup(client.sock.close)
            client.send(b"PUT /v1 HTTP/1.1\r\n" + HOST + b"Content-Length: 1048576\r\n\r\n")
            client.send(b"a" * 1000000)
        self.assertTrue(eventually(lambda: self.stub.rss_kib() > before + 10000))
        self.assertLess(self.stub.rss_kib(), before + 64 * 1024 * MEMORY_FACTOR)

    def test_many_vms(self):
        stub = Stub("vms=1000")
        self.addCleanup(stub.stop)
        with stub.client() as client:
            for path in ("/v1/vms", "/v1/vms?full=1", "/v1/status", "/v1/status?all=1"):
                start = stub.cpu_seconds()
                self.assertEqual(len(client.ask("GET", path).json()["vms"]), 1000)
                self.assertLess(stub.cpu_seconds() - start, 1)


class Socket(Case):
    def test_mode(self):
        if os.geteuid() == 0:
            self.assertEqual(self.stub.mode, 0o660)
        self.assertTrue(stat.S_ISSOCK(os.stat(self.stub.path).st_mode))

    def start_second(self, path):
        return subprocess.run([os.environ["NEST_HTTP_STUB"], path], capture_output=True,
                              timeout=10, check=False, text=True)

    def test_second_daemon(self):
        result = self.start_second(self.stub.path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("another nestd serves", result.stderr)
        self.alive()

    def test_foreign_listener_and_file(self):
        path = os.path.join(self.stub.directory.name, "other")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            other.listen()
            self.assertIn("another nestd serves", self.start_second(path).stderr)
        os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write("mine")
        self.assertIn("is not a socket", self.start_second(path).stderr)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")

    def test_stale_socket(self):
        self.stub.kill()
        again = subprocess.Popen([os.environ["NEST_HTTP_STUB"], self.stub.path],
                                 stdout=subprocess.PIPE)
        self.assertEqual(again.stdout.readline(), b"ready\n")
        self.alive()
        again.terminate()
        self.assertEqual(again.wait(10), 0)
        self.assertFalse(os.path.exists(self.stub.path))
        again.stdout.close()

    def test_activation(self):
        path = os.path.join(self.stub.directory.name, "given")
        with socket.socket(socket.AF_UNIX) as given:
            given.bind(path)
            given.listen()
            command = ["sh", "-c", f'exec 3<&{given.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec '
                       '"$NEST_HTTP_STUB" /nonexistent/x']
            child = subprocess.Popen(command, pass_fds=[given.fileno()], stdout=subprocess.PIPE)
            self.assertEqual(child.stdout.readline(), b"ready\n")
            with Client(path) as client:
                self.assertEqual(client.ask("GET", "/v1").status, 200)
            child.terminate()
            self.assertEqual(child.wait(10), 0)
            child.stdout.close()
        self.assertTrue(os.path.exists(path))

    def test_name_of_client_does_not_matter(self):
        name = os.path.join(self.stub.directory.name, "c;uid=0;")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(name)
            sock.connect(self.stub.path)
            body = b'{"state":"off"}'
            sock.sendall(b"PUT /v1/vms/vm0/state HTTP/1.1\r\n" + HOST +
                         b"Content-Type: application/json\r\nContent-Length: 15\r\n\r\n" + body)
            self.assertIn(f'"uid":{os.geteuid()},'.encode(), sock.recv(65536))

    def test_descriptors_are_not_taken(self):
        with self.stub.client() as client:
            reader, writer = os.pipe()
            request = b"GET /v1 HTTP/1.1\r\n" + HOST + b"\r\n"
            socket.send_fds(client.sock, [request], [reader] * 10)
            self.assertEqual(client.reply().status, 200)
            self.assertEqual(self.stub.fds(), self.stub.quiet + 1)
            os.close(reader)
            os.close(writer)


class Storm(Case):
    def test_clients_that_come_and_go(self):
        """Many clients at once, each leaving at a moment of its own."""
        requests = [b"GET /v1/vms HTTP/1.1\r\n" + HOST + b"\r\n",
                    b"GET /v1/status HTTP/1.1\r\n" + HOST + b"\r\n",
                    b"GET /v1/events?after=0 HTTP/1.1\r\n" + HOST + b"\r\n",
                    b"DELETE /v1/vms/late HTTP/1.1\r\n" + HOST + b"\r\n"]

        def storm(seed):
            for i in range(40):
                with self.stub.client() as client:
                    request = requests[(seed + i) % len(requests)]
                    client.send(request * (1 + i % 3))
                    if i % 2:
                        client.fill()

        threads = [threading.Thread(target=storm, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.alive()
        self.assertTrue(eventually(lambda: self.stub.fds() == self.stub.quiet))


if __name__ == "__main__":
    unittest.main()
