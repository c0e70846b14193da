# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the kernel-doc comments of a header, and writes their text for scdoc."""

import collections
import re
import sys

COMMENT = re.compile(r'/\*\*\n(.*?)\n \*/\n', re.S)
TITLE = re.compile(r'^(?:(DOC|struct|define)[: ]\s*)?(\w[^\n]*?)(?:\(\))?(?: - (.*))?$')
# All in one line: a definition without a comment must not get that of the next one.
DEFINE = re.compile(r'^#define[ \t]+(\w+)[ \t]+(\S.*?)[ \t]*/\*[ \t]*(.*?)[ \t]*\*/$',
                    re.M)
MARKUP = re.compile(
    r'\*\*(?P<strong>.+?)\*\*|``(?P<literal>.+?)``|@(?P<parameter>\w+)'
    r'|&struct (?P<struct>\w+)|%(?P<constant>\w+)|(?P<function>\w[\w*]*)\(\)'
    r'|(?P<named>\bLABYRINTH_[A-Z_]*\w\b)', re.S)

# One comment: kind is DOC, struct, define or function; blocks is the text, a list of
# paragraphs (a string) and lists (a list of strings).
Doc = collections.namedtuple('Doc', 'kind name summary parameters blocks code')


def escape(text):
    text = re.sub(r'([\\_*])', r'\\\1', text)
    return re.sub(r'^([-#|\[\].])', r'\\\1', text)


def _marked(match):
    kind, text = match.lastgroup, match.group(match.lastgroup)
    text = escape(text)
    if kind == 'parameter':
        return '_%s_' % text
    if kind == 'function':
        return '*%s*()' % text
    if kind == 'struct':
        return '*struct %s*' % text
    return '*%s*' % text


def marked(text):
    """A paragraph with scdoc's markup in place of kernel-doc's."""
    out, at = '', 0
    for match in MARKUP.finditer(text):
        out += escape(text[at:match.start()]) + _marked(match)
        at = match.end()
    return out + escape(text[at:])


def structs(text):
    """The names of those that a text speaks of."""
    return [m.group('struct') for m in MARKUP.finditer(text) if m.group('struct')]


def _blocks(lines):
    """Paragraphs, and lists whose items begin with a hyphen."""
    blocks = []
    fresh = True
    for line in lines:
        text = line.strip()
        if not text:
            fresh = True
        elif text.startswith('- '):
            if not (blocks and isinstance(blocks[-1], list)):
                blocks.append([])
            blocks[-1].append(text[2:])
            fresh = False
        elif fresh:
            blocks.append(text)
            fresh = False
        elif isinstance(blocks[-1], list):
            blocks[-1][-1] += ' ' + text
        else:
            blocks[-1] += ' ' + text
    return blocks


def _parameters(lines):
    """(name, text) of each @parameter, and the number of lines they take."""
    parameters = []
    for count, line in enumerate(lines):
        start = re.match(r'@(\w+):\s*(.*)', line)
        if start:
            parameters.append([start.group(1), start.group(2)])
        elif not line.strip() or not parameters:
            return parameters, count
        else:
            parameters[-1][1] += ' ' + line.strip()
    return parameters, len(lines)


def parse(path):
    """Every documented thing of the header, in its order."""
    with open(path, encoding='utf-8') as f:
        text = f.read()
    docs = []
    for match in COMMENT.finditer(text):
        lines = [re.sub(r'^ \* ?', '', line) for line in match.group(1).split('\n')]
        kind, name, summary = TITLE.match(lines[0]).groups()
        parameters, used = _parameters(lines[1:])
        code = re.split(r'\n(?=\n|/\*)', text[match.end():], maxsplit=1)[0]
        docs.append(Doc(kind or 'function', name, summary or '', parameters,
                        _blocks(lines[1 + used:]), code))
    return docs


def constants(path):
    """(name, meaning) of each #define with a comment behind it, but for the ioctls."""
    with open(path, encoding='utf-8') as f:
        return [(name, meaning) for name, value, meaning in DEFINE.findall(f.read())
                if not value.startswith('_IO')]


def ioctls(path):
    """(name, struct) of each ioctl: the comment behind it says what it points to."""
    with open(path, encoding='utf-8') as f:
        text = f.read()
    named = [(name, meaning.replace('struct ', '', 1))
             for name, value, meaning in DEFINE.findall(text)
             if value.startswith('_IO') and meaning.startswith('struct ')]
    if len(named) != len(re.findall(r'^#define\s+\w+\s+_IO', text, re.M)):
        sys.exit('%s: an ioctl does not name its struct' % path)
    return named


def write_blocks(out, blocks):
    for block in blocks:
        if isinstance(block, list):
            for item in block:
                out.append('- ' + marked(item))
        else:
            out.append(marked(block))
        out.append('')


def write_definitions(out, pairs):
    for name, text in pairs:
        out += ['_%s_' % escape(name), '\t' + marked(text), '']
