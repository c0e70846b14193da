# SPDX-License-Identifier: GPL-2.0-only
"""The charts, drawn with gnuplot: an SVG each, and the data beside it."""

import os
import shutil
import subprocess

from labvm.lanes import Failure

from . import cases
from .boot import Key
from .cases import lab

STYLE = '''set terminal svg size 960,600 font "sans,14" background "white"
set grid lt 1 lw 0.5 lc rgb "#dddddd"
set key %(key)s
set title "%(title)s" font "sans,18"
set xlabel "%(x)s"
set ylabel "%(y)s"
set output "%(out)s"
%(more)s
plot %(plots)s
'''


def _run(folder, name, data, **words):
    """data: columns of each block; plots name a block with INDEX."""
    path = os.path.join(folder, name)
    with open(path + '.dat', 'w', encoding='utf-8') as f:
        for block in data:
            f.write(''.join(' '.join(map(str, row)) + '\n' for row in block) + '\n\n')
    plots = ', \\\n'.join(plot.replace('INDEX', '"%s.dat" index' % path)
                          for plot in words.pop('plots'))
    words.setdefault('key', 'outside bottom center maxcols 3')
    words.setdefault('more', '')
    script = STYLE % dict(words, out=path + '.svg', plots=plots)
    with open(path + '.gnuplot', 'w', encoding='utf-8') as f:
        f.write(script)
    done = subprocess.run(['gnuplot'], input=script, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode or done.stdout.strip():
        raise Failure('gnuplot could not draw %s: %s' % (name, done.stdout.strip()))
    return path + '.svg'


BATCH_LINES = [
    ('populate', 'labyrinth', 'labyrinth, POPULATE', 'lw 3 lc rgb "#0060ad"'),
    ('fault', 'labyrinth', 'labyrinth, faults', 'lw 3 lc rgb "#66a3d9"'),
    ('fault', 'udmabuf', 'udmabuf, a buffer a page', 'lc rgb "#8c564b"'),
    ('fault', 'dma-heap', 'dma-heap, a buffer a page', 'lc rgb "#d62728"'),
    ('fault', 'dma-heap-whole', 'dma-heap, one buffer', 'lc rgb "#d62728" dt 2'),
    ('fault', 'memfd', 'memfd, one for all', 'lc rgb "#7f7f7f" dt 2'),
    ('fault', 'anonymous', 'anonymous, one mmap()', 'lc rgb "#2ca02c" dt 2'),
]


def _batches(folder, of):
    data = [[(n, of(Key(case, system, n))) for n in cases.POWERS]
            for case, system, _, _ in BATCH_LINES]
    plots = ['INDEX %d with linespoints pt 7 ps 0.6 %s title "%s"' % (i, style, title)
             for i, (_, _, title, style) in enumerate(BATCH_LINES)]
    return _run(
        folder, 'batch', data, plots=plots,
        title='Cost of a page: acquire, touch, release',
        x='pages in a batch (dashed: released together only)',
        y='instructions for one page',
        more='set logscale x 2\nset logscale y 2\nset yrange [512:32768]\n'
             'set xrange [0.9:71]\nset xtics (1,2,4,8,16,32,64)\nset format y "%.0f"')


def _sizes(folder, of):
    data = [[(n, of(lab('pool', n))) for n in cases.POOLS],
            [(n, of(lab('openers', n))) for n in cases.OPENERS]]
    top = 1.5 * max(row[1] for block in data for row in block)
    return _run(
        folder, 'size', data,
        plots=['INDEX 0 with linespoints pt 7 lw 2 lc rgb "#0060ad" '
               'title "pages in the pool, a quarter of them in use"',
               'INDEX 1 with linespoints pt 5 lw 2 lc rgb "#d62728" '
               'title "processes with the arena mapped"'],
        key='inside bottom right',
        title='Cost of a page against pool size and openers',
        x='number of pages or processes', y='instructions: acquire, touch, release',
        more='set logscale x 10\nset xrange [0.8:20000]\nset yrange [0:%d]' % top)


def _level(folder, results):
    if not results.samples or not results.refills:
        raise Failure('bench: no samples of the pool level, or no refills')
    begin = results.samples[0][0]
    points = [((ns - begin) / 1e6, free) for ns, free, _ in results.samples]
    marks, level = [], sorted(results.samples)
    for ns, pages in results.refills:
        # The call that rang returns after the refill: its sample is the next one.
        before = [free for at, free, _ in level if at <= ns]
        done = sum(n for at, n in results.refills
                   if level[len(before) - 1][0] < at <= ns)
        marks.append(((ns - begin) / 1e6, before[-1] - 4 + done))
    line = sorted(points + marks)
    return _run(
        folder, 'level', [line, marks],
        plots=['INDEX 0 with lines lw 2 lc rgb "#0060ad" title "free pages"',
               'INDEX 1 with points pt 7 ps 0.6 lc rgb "#d62728" '
               'title "the interrupt handler has added up to 16"',
               '256 with lines dt 2 lc rgb "#7f7f7f" title "high watermark"',
               '64 with lines dt 3 lc rgb "#7f7f7f" title "low watermark"'],
        key='outside bottom center maxcols 2',
        title='Free pages while a program takes 4 at a time and gives none back',
        x='milliseconds (1 ns = 1 instruction)', y='free pages',
        more='set yrange [0:300]')


def _copies(folder, of):
    # Bytes of a chunk each 200 ms is the most that one device can do.
    kib = 4095 / 1024

    def rate(ns):
        return kib / (ns / 1e9)
    data = [[(n, rate(of(lab('copy', n)))) for n in cases.DEVICES],
            [(n, n * rate(cases.CHUNK_NS)) for n in cases.DEVICES]]
    return _run(
        folder, 'copy', data,
        plots=['INDEX 1 with lines lw 5 lc rgb "#cccccc" title "the devices\' limit"',
               'INDEX 0 with linespoints pt 7 lw 2 lc rgb "#0060ad" title "measured"'],
        key='inside top left',
        title='Throughput of copies of 64 KiB', x='devices', y='KiB a second',
        more='set xrange [0:9]\nset yrange [0:180]\nset xtics (1,2,4,8)')


def draw(folder, of, results):
    """The paths of the charts."""
    if not shutil.which('gnuplot'):
        raise Failure('gnuplot is not there; run selftests/vm/setup.sh bench')
    return [_batches(folder, of), _sizes(folder, of), _level(folder, results),
            _copies(folder, of)]
