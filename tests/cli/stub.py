# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for nestd on a Unix socket: canned answers, and failures as scripted."""
import http.server
import json
import os
import socketserver
import threading


class Answer:
    """What a request gets: status and body, after an optional event has been set."""

    def __init__(self, body=None, status=200, content_type=None, after=None, raw=None):
        self.status = status
        self.after = after
        if raw is not None:
            self.body = raw
        else:
            self.body = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        problem = status >= 400
        self.content_type = content_type or (
            "application/problem+json" if problem else "application/json")


class Close:
    """The connection ends without an answer."""


class Cut:
    """The connection ends in the middle of the body."""


class Stream:
    """Server-sent events, then the end of the connection; hold: it stays open until it is set."""

    def __init__(self, events, hold=None):
        self.events = events
        self.hold = hold


def problem(kind, status, detail, next_=None, **more):
    body = {"type": "about:blank", "title": kind, "status": status, "detail": detail,
            "kind": kind, "next": next_}
    body.update(more)
    return Answer(body, status)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *args):
        pass

    def send_stream(self, stream):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for event in stream.events:
            data = json.dumps(event)
            self.wfile.write(f"id: {event['id']}\nevent: {event['kind']}\ndata: {data}\n\n".encode())
        self.wfile.flush()
        if stream.hold:
            stream.hold.wait(20)
        self.close_connection = True

    def send_answer(self, answer, cut=False):
        self.send_response(answer.status)
        if answer.content_type != "none":
            self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body) + (10 if cut else 0)))
        self.end_headers()
        self.wfile.write(answer.body)

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path, _, query = self.path.partition("?")
        answer = self.server.stub.answer(self.command, path, query, body, self.headers)
        if isinstance(answer, Close):
            self.close_connection = True
        elif isinstance(answer, Cut):
            self.send_answer(Answer({"half": True}), cut=True)
            self.close_connection = True
        elif isinstance(answer, Stream):
            self.send_stream(answer)
        else:
            if answer.after:
                answer.after.wait(20)
            self.send_answer(answer)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 16


class Stub:
    """routes: "METHOD /path" to an answer, a list of answers (the last one stays), or a function
    of (query, body) that gives one."""

    def __init__(self, path):
        self.path = path
        self.routes = {}
        self.requests = []
        self.bodies = {}
        self.headers = {}
        self.changed = threading.Condition()
        self.server = None
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.server = Server(self.path, Handler)
        self.server.stub = self
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        os.unlink(self.path)

    def answer(self, method, path, query, body, headers):
        key = f"{method} {path}"
        with self.changed:
            self.requests.append(key + (f"?{query}" if query else ""))
            self.bodies.setdefault(key, []).append(body)
            self.headers.setdefault(key, []).append(dict(headers))
            found = self.routes.get(key)
            if isinstance(found, list):
                found = found.pop(0) if len(found) > 1 else found[0]
            self.changed.notify_all()
        if found is None and method == "GET" and path.endswith("/proof"):
            found = Answer({"proofs": []})
        if found is None and method == "GET" and path.endswith("/verification"):
            found = Answer({"verifications": []})
        if callable(found):
            found = found(query, body)
        return found or problem("no-such-path", 404, f"no route for {key}")

    def wait_for(self, key, seconds=15):
        with self.changed:
            if not self.changed.wait_for(
                    lambda: any(r.startswith(key) for r in self.requests), seconds):
                raise AssertionError(f"{key} was not asked for: {self.requests}")
