#!/usr/bin/env python3
"""The index templates of contrib/elastic have every field of the schema, and the loader sends records.

    elastic.py [--write]        with --write: makes the templates anew

Elasticsearch itself does not run here; what would reach it is looked at by a server of our own.
"""
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

from tap import Tap

TOP = os.environ.get("TOP_SRCDIR", ".")
LASTACK = os.environ.get("LASTACK", os.path.join(os.environ.get("TOP_BUILDDIR", "."), "lastack"))
FOLDER = os.path.join(TOP, "contrib", "elastic")
KINDS = ("flow", "event", "host", "path", "stats", "summary", "transition", "segment")
NESTED = ("history", "evidence", "interfaces", "inputs", "points")  # asked for member by member
TEXTS = ("explanation", "remedy", "says")                           # searched by words


def mapping(schema, node, name):
    """The mapping of a node of the schema."""
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].split("/")[-1]]
    for choice in node.get("anyOf", node.get("oneOf", ())):
        if choice.get("type") != "null":
            return mapping(schema, choice, name)
    if "const" in node or "enum" in node:
        values = [node["const"]] if "const" in node else [v for v in node["enum"] if v is not None]
        if isinstance(values[0], dict):
            return {"properties": {k: {"type": "keyword"} for k in sorted(values[0])}}
        return {"type": "boolean" if isinstance(values[0], bool) else
                "long" if isinstance(values[0], int) else "keyword"}
    if node.get("format") in ("ipv4", "ipv6"):
        return {"type": "ip"}
    types = node["type"] if isinstance(node["type"], list) else [node["type"]]
    kind = next(t for t in types if t != "null")
    if kind == "array":
        inner = mapping(schema, node["items"], name)
        return {"type": "nested", **inner} if name in NESTED else inner
    if kind == "object":
        if not node.get("properties") or name in ("by_id", "by_level", "by_close"):
            return {"type": "flattened"}
        return {"properties": {k: mapping(schema, v, k) for k, v in node["properties"].items()}}
    if kind == "string":
        if node.get("format") == "date-time":
            return {"type": "date_nanos"}
        return {"type": "text" if name in TEXTS else "keyword"}
    return {"type": {"integer": "long", "number": "double", "boolean": "boolean"}[kind]}


def template(schema, kind):
    root = mapping(schema, {"$ref": "#/$defs/" + kind}, kind)
    return {"index_patterns": ["lastack-%s" % kind, "lastack-%s-*" % kind], "priority": 200,
            "template": {"settings": {"number_of_replicas": 1},
                         "mappings": {"dynamic": "false", **root}},
            "_meta": {"description": "lastack.%s of lastack's NDJSON, schema 1" % kind}}


def leaves(value, path=()):
    """Paths of values in a record, through lists."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, (*path, key))
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, path)
    elif value is not None:
        yield path, value


FITS = {"long": lambda v: isinstance(v, int) and not isinstance(v, bool), "boolean": lambda v: isinstance(v, bool),
        "double": lambda v: isinstance(v, (int, float)), "keyword": lambda v: isinstance(v, str),
        "text": lambda v: isinstance(v, str), "ip": lambda v: isinstance(v, str) and v[0].isalnum() or v[0] == ":",
        "date_nanos": lambda v: isinstance(v, str) and v.endswith("Z"), "flattened": lambda v: True}


def misfits(record, mappings):
    """Values that the mapping has no fitting place for."""
    for path, value in leaves(record):
        at = mappings
        for key in path:
            if at.get("type") == "flattened":
                break
            at = at.get("properties", {}).get(key, {})
        if not FITS.get(at.get("type"), lambda v: False)(value):
            yield path, value, at.get("type")


class Server:
    """Takes what the loader sends."""

    def __init__(self):
        server = self
        self.templates, self.documents = {}, {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.command == "PUT":
                    server.templates[self.path] = json.loads(body)
                else:
                    lines = body.split("\n")
                    assert self.path.startswith("/_bulk") and lines[-1] == "", self.path
                    assert self.headers["Content-Type"] == "application/x-ndjson"
                    for action, document in zip(lines[:-1:2], lines[1:-1:2]):
                        where = json.loads(action)["index"]
                        server.documents[where["_index"], where["_id"]] = json.loads(document)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"errors":false}')
            do_PUT = do_POST = answer

            def log_message(self, *_):
                pass
        self.http = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.address = "http://127.0.0.1:%d" % self.http.server_address[1]


def check_loader(tap, folder, path, records):
    for tool in ("jq", "curl"):
        if shutil.which(tool) is None:
            tap.skip("the loader", "%s is not installed" % tool)
            return
    server = Server()
    for _ in range(2):
        result = subprocess.run(["sh", os.path.join(FOLDER, "load.sh"), path], capture_output=True, text=True,
                                env=dict(os.environ, ELASTIC=server.address), timeout=60, check=False)
        if result.returncode != 0:
            break
    wanted = [r for r in records if r["event"]["dataset"] in ("lastack.flow", "lastack.event")]
    flows = {i: d for (index, i), d in server.documents.items() if index == "lastack-flow"}
    tap.ok(result.returncode == 0 and len(server.templates) == len(KINDS) and
           len([1 for index, _ in server.documents if index in ("lastack-flow", "lastack-event")]) == len(wanted)
           and flows == {r["lastack"]["flow_uid"]: r for r in records if r["event"]["dataset"] == "lastack.flow"},
           "loaded twice, each connection and event would be there once", result.stderr,
           len(server.templates), len(server.documents), len(wanted))
    server.http.shutdown()


def main():
    schema = json.loads(subprocess.run([LASTACK, "--schema"], capture_output=True, check=True).stdout)
    if "--write" in sys.argv:
        for kind in KINDS:
            with open(os.path.join(FOLDER, kind + ".json"), "w") as file:
                json.dump(template(schema, kind), file, indent=1)
                file.write("\n")
        return 0
    tap = Tap()
    made = {}
    for kind in KINDS:
        with open(os.path.join(FOLDER, kind + ".json")) as file:
            made[kind] = json.load(file)
        tap.ok(made[kind] == template(schema, kind),
               "%s.json follows the schema (else: elastic.py --write)" % kind)
    ours = {kind: made[kind]["template"]["mappings"]["properties"]["lastack"]["properties"] for kind in KINDS}
    tap.ok(ours["event"]["evidence"]["type"] == "nested" and ours["event"]["numbers"]["type"] == "flattened" and
           ours["flow"]["client"]["properties"]["history"]["type"] == "nested",
           "evidence and history are nested, numbers flattened")
    folder = tempfile.mkdtemp(prefix="lastack-elastic-")
    path = os.path.join(folder, "r.ndjson")
    samples = os.path.join(TOP, "samples")
    subprocess.run([LASTACK, "-q", "--ndjson=" + path, "--segments", "all", "--transitions", samples], check=True)
    with open(path) as lines:
        records = [json.loads(line) for line in lines]
    wrong = [m for r in records
             for m in misfits(r, made[r["event"]["dataset"].split(".")[1]]["template"]["mappings"])]
    tap.ok(len(records) > 50 and not wrong, "every value has a fitting place", *wrong[:5])
    check_loader(tap, folder, path, records)
    shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
