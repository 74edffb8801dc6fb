#!/usr/bin/env python3
"""Renders the snippets of this folder with Python's jinja2 as Hugging Face sets it up, and writes golden.json.

needs: pip install jinja2
usage: make_golden.py > golden.json
Every line of expressions.txt, filters.txt and methods.txt is a template, and every part of statements.txt between ===== lines; all get
the values of variables.json. The templates of pages.py run with escaping on, without trimming, and may load each other.
"""
import datetime, json, pathlib
import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2025, 7, 8, 12, 0, 0)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def chat_environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    env.filters['tojson'] = tojson
    env.globals.update(raise_exception=raise_exception, strftime_now=lambda f: NOW.strftime(f))
    return env


def page_environment(templates):
    return ImmutableSandboxedEnvironment(autoescape=True, extensions=[loopcontrols], loader=jinja2.DictLoader(templates))


def outcome(env, source, variables):
    row = {'source': source}
    try:
        row['expected'] = env.from_string(source).render(**variables)
        row['expected'].encode()
    except Exception as e:
        row.pop('expected', None)
        row['error'] = f'{type(e).__name__}: {e}'.split('\n')[0][:120]
    return row


def lines(name):
    text = (HERE / name).read_text(encoding='utf-8')
    return [line for line in text.split('\n') if line and not line.startswith('# ')]


def main():
    import pages
    variables = json.loads((HERE / 'variables.json').read_text(encoding='utf-8'))
    sources = [s for name in ('expressions.txt', 'filters.txt', 'methods.txt') for s in lines(name)]
    sources += (HERE / 'statements.txt').read_text(encoding='utf-8').split('\n=====\n')
    chat = [outcome(chat_environment(), s, variables) for s in sources]
    page = [outcome(page_environment(pages.SETS), s, pages.VARIABLES) for s in pages.SOURCES]
    golden = {'variables': variables, 'chat': chat, 'page_variables': pages.VARIABLES, 'templates': pages.SETS, 'pages': page}
    print(json.dumps(golden, ensure_ascii=False, indent=0))


if __name__ == '__main__':
    main()
