#!/usr/bin/env python3
"""Asks a running (or just started) notso a question as a person's browser and as an API client would; standard library only.

usage: ask.py [--base URL] [--start COMMAND --limit SECONDS]
--start runs the command first and requires the page's first byte within --limit seconds.
Exits 0 when the page answers, the answer is streamed in several pieces and names Paris.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def wait_for_page(base, limit_s):
    """Seconds until the page's first byte."""
    started = time.monotonic()
    while True:
        try:
            with OPENER.open(base + '/', timeout=5) as response:
                response.read(1)
                return time.monotonic() - started
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() - started > limit_s + 60:
                sys.exit(f'no page at {base} after {limit_s + 60} s')
            time.sleep(0.02)


def wait_until_ready(base):
    for _ in range(600):
        try:
            with OPENER.open(base + '/readyz', timeout=5):
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    sys.exit('the model did not become ready in 60 s')


def ask(base, question):
    """Pieces of the streamed answer and when each came."""
    body = json.dumps({'model': 'default', 'stream': True, 'temperature': 0, 'max_tokens': 64,
                       'messages': [{'role': 'user', 'content': question}]}).encode()
    request = urllib.request.Request(base + '/v1/chat/completions', body, {'Content-Type': 'application/json'})
    pieces = []
    with OPENER.open(request, timeout=120) as response:
        for line in response:
            text = line.decode().strip()
            if text.startswith('data: {'):
                for choice in json.loads(text[6:])['choices']:
                    if choice['delta'].get('content'):
                        pieces.append((time.monotonic(), choice['delta']['content']))
    return pieces


def check_page(base):
    with OPENER.open(base + '/', timeout=10) as response:
        page = response.read().decode()
    for needed in ('<textarea', '</html>'):
        if needed not in page:
            sys.exit(f'the page has no {needed}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--base', default='http://localhost:3000')
    parser.add_argument('--start')
    parser.add_argument('--limit', type=float, default=2.0)
    options = parser.parse_args()
    server = subprocess.Popen(options.start, shell=True, start_new_session=True) if options.start else None
    try:
        seconds = wait_for_page(options.base, options.limit)
        if server:
            print(f'first byte after {seconds:.2f} s')
            if seconds > options.limit:
                sys.exit(f'slower than {options.limit} s')
        check_page(options.base)
        wait_until_ready(options.base)
        pieces = ask(options.base, 'What is the capital of France?')
        answer = ''.join(text for _, text in pieces)
        print(f'answer in {len(pieces)} pieces over {pieces[-1][0] - pieces[0][0]:.2f} s: {answer!r}')
        if len(pieces) < 3 or 'Paris' not in answer:
            sys.exit('not streamed, or not sensible')
    finally:
        if server:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=40)


if __name__ == '__main__':
    main()
