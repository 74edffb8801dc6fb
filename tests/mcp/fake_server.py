#!/usr/bin/env python3
"""An MCP server over stdio that misbehaves as told: fake_server.py MODE

ok         two pages of tools (echo, slow, die, env, odd names), progress, cancelling, list_changed, pings
silent     never answers
garbage    writes lines that are no JSON
huge       writes one line without an end
exits      ends at once
deep       answers with JSON nested 100,000 deep
bombs      tools with schemas too deep or too large, too many tools, endless pages
wrong_ids  answers with ids that nobody asked for, then the right one
deaf       initializes, then reads nothing more
"""
import json
import os
import sys
import threading
import time

MODE = sys.argv[1]
lock = threading.Lock()
cancelled = set()


def send(message):
    with lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def raw(text):
    with lock:
        sys.stdout.write(text)
        sys.stdout.flush()


def tool(name, **more):
    return {"name": name, "description": f"The {name}.", "inputSchema": {"type": "object", **more}}


def nested(depth):
    value = {"type": "object"}
    for _ in range(depth):
        value = {"type": "object", "properties": {"a": value}}
    return value


changed = False


def list_tools(cursor):
    if MODE == "bombs":
        many = [tool(f"t{cursor}_{i}") for i in range(20)]
        bombs = [{"name": "deep", "inputSchema": nested(40)}, tool("large", description="x" * 100_000), {"name": 3}, 7, tool("")]
        return {"tools": bombs + many, "nextCursor": cursor + "x"}
    if changed:
        return {"tools": [tool("new_one")]}
    if not cursor:
        text = {"properties": {"text": {"type": "string"}}, "required": ["text"]}
        return {"tools": [tool("echo", **text), tool("slow"), tool("die")], "nextCursor": "2"}
    return {"tools": [tool("env"), tool("a name/with ö"), tool("n" * 100), tool("change"), tool("fail")]}


def slow(message):
    token = message["params"].get("_meta", {}).get("progressToken")
    for step in range(1000):
        if message["id"] in cancelled:
            sys.stderr.write("cancelled\n")
            sys.stderr.flush()
            return
        if token is not None:
            send({"method": "notifications/progress", "params": {"progressToken": token, "progress": step, "total": 1000}})
        time.sleep(0.02)
    send({"id": message["id"], "result": {"content": [{"type": "text", "text": "slow"}]}})


def call(message):
    global changed
    name, arguments = message["params"]["name"], message["params"].get("arguments", {})
    if name == "slow":
        threading.Thread(target=slow, args=(message,), daemon=True).start()
        return
    if name == "die":
        os._exit(1)
    if name == "change":
        changed = True
        send({"method": "notifications/tools/list_changed"})
    text = {"echo": arguments.get("text"), "env": os.environ.get("GIVEN", "none"), "fail": "it failed"}.get(name, name)
    if MODE == "wrong_ids":
        for bad in (999, -1, "1", None, 1.5, [1]):
            send({"id": bad, "result": {"content": [{"type": "text", "text": "wrong"}]}})
    send({"id": message["id"], "result": {"content": [{"type": "text", "text": text}], "isError": name == "fail"}})


def answer(message):
    method = message.get("method")
    if method == "initialize":
        send({"id": message["id"], "result": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                                              "serverInfo": {"name": "fake", "version": "1"}}})
        send({"id": "s1", "method": "ping"})
        if MODE == "deaf":
            time.sleep(1000)
    elif method == "tools/list":
        send({"id": message["id"], "result": list_tools(message["params"].get("cursor", ""))})
    elif method == "tools/call":
        call(message)
    elif method == "notifications/cancelled":
        cancelled.add(message["params"]["requestId"])


def main():
    if MODE == "exits":
        sys.exit(0)
    if MODE == "huge":
        while True:
            raw("x" * 100_000)
    if MODE == "garbage":
        while True:
            raw("this is no JSON\n")
    for line in sys.stdin:
        if MODE == "deep":
            raw('{"id":1,"result":' + "[" * 100_000 + "\n")
        elif MODE != "silent":
            answer(json.loads(line))


if __name__ == "__main__":
    main()
