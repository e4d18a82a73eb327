#!/usr/bin/env python3
"""Records a command in a terminal and draws it as an animated SVG.

    contrib/pictures/record.py OUTPUT.svg COMMAND...

The command runs in a pseudo-terminal of 100 columns. The picture shows its real
output at a readable pace: long pauses are cut, and every heading is preceded by
one. A viewer that does not animate shows the last screen. The script needs only
Python. It knows the terminal codes that its subject uses: lines, carriage
returns, bold, and the eight colours.
"""
import html
import os
import pty
import re
import select
import struct
import fcntl
import sys
import termios
import time

COLUMNS, ROWS = 100, 32
WIDTH, HEIGHT = 8.43, 18  # of a character cell
MARGIN, BAR = 12, 28
LONGEST_PAUSE, LAST_PAUSE = 1.5, 5.0
READING = 1.2  # at least so long before a heading: a bold line
COLOURS = ["#4b5263", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#dcdfe4"]


def record(command):
    """Runs the command and returns what it wrote as (time, text), and its exit code."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", COLUMNS=str(COLUMNS), LINES=str(ROWS))
        for name in ("MAKEFLAGS", "MAKELEVEL"):  # under make, make says where it works
            os.environ.pop(name, None)
        os.execvp(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    start, chunks = time.monotonic(), []
    while True:
        select.select([fd], [], [])
        try:
            data = os.read(fd, 65536)
        except OSError:  # how Linux says that the other side has closed
            data = b""
        if not data:
            break
        chunks.append((time.monotonic() - start, data.decode("utf-8", "replace")))
    _, status = os.waitpid(pid, 0)
    return chunks, os.waitstatus_to_exitcode(status)


def lines_of(chunks):
    """Returns (time, text) for every line, at the time at which it began."""
    lines, text, begun = [], "", 0.0
    for at, chunk in chunks:
        for part in re.split(r"(\n)", chunk):
            if part == "\n":
                lines.append((begun if text.strip() else at, overwritten(text)))
                text = ""
            elif part:
                begun = begun if text else at
                text += part
    if text:
        lines.append((begun, overwritten(text)))
    return lines


def overwritten(text):
    """Returns what a line shows in the end: a carriage return, as progress bars
    write it, begins the line again over what is there."""
    shown = ""
    for part in text.rstrip("\r").split("\r"):
        shown = part if "\x1b" in shown + part else part + shown[len(part):]
    return shown.rstrip()


def paced(lines):
    """Cuts long pauses, and makes some for reading."""
    out, clock, last = [], 0.0, 0.0
    for at, text in lines:
        clock += max(min(at - last, LONGEST_PAUSE), READING if text.startswith("\x1b[1m") else 0)
        last = at
        out.append((clock, text))
    return out


def folded(lines):
    """Breaks lines that are longer than the terminal is wide, as it does."""
    out = []
    for at, text in lines:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        if len(plain) <= COLUMNS:
            out.append((at, text))
        else:
            out += [(at, plain[i:i + COLUMNS]) for i in range(0, len(plain), COLUMNS)]
    return out


def spans(text):
    """Draws one line: text with the attributes that escape sequences gave it."""
    out, bold, colour = "", False, None
    for piece in re.split(r"(\x1b\[[0-9;]*m)", text):
        m = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if m:
            for code in (int(c or 0) for c in m.group(1).split(";")):
                bold = code == 1 or (bold and code not in (0, 22))
                colour = code - 30 if 30 <= code <= 37 else None if code in (0, 39) else colour
        elif piece:
            style = (' class="b"' if bold else "") + (f' fill="{COLOURS[colour]}"' if colour is not None else "")
            out += f"<tspan{style}>{html.escape(piece)}</tspan>" if style else html.escape(piece)
    return out


def keyframes(name, steps, total):
    """CSS that moves something down or up in steps of whole lines: (time, pixels)."""
    out = [f"@keyframes {name}{{"]
    for at, pixels in steps:
        out.append(f"{100 * at / total:.3f}%{{transform:translateY({pixels}px)}}")
    out.append(f"100%{{transform:translateY({steps[-1][1]}px)}}}}")
    return "".join(out)


def draw(title, lines):
    total = lines[-1][0] + LAST_PAUSE
    screen = ROWS * HEIGHT
    scroll, curtain = [(0.0, 0)], [(0.0, 0)]
    for n, (at, _) in enumerate(lines, 1):
        for steps, pixels in ((scroll, -max(0, n - ROWS) * HEIGHT), (curtain, n * HEIGHT)):
            if steps[-1][0] == at:
                steps.pop()
            steps.append((at, pixels))
    width, height = int(COLUMNS * WIDTH + 2 * MARGIN), screen + BAR + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{html.escape(title)}">',
        "<style>",
        "text{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#dcdfe4;white-space:pre}.b{font-weight:bold;fill:#fff}",
        keyframes("s", scroll, total), keyframes("c", curtain, total),
        f"@media (prefers-reduced-motion:no-preference){{.s{{animation:s {total:.2f}s step-end infinite}}.c{{animation:c {total:.2f}s step-end infinite}}}}",
        "</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#1e222a"/>',
        *(f'<circle cx="{18 + 18 * i}" cy="{BAR / 2 + 2}" r="5" fill="{c}"/>' for i, c in enumerate(("#e06c75", "#e5c07b", "#98c379"))),
        f'<text x="{width / 2}" y="{BAR / 2 + 7}" text-anchor="middle" fill="#7f848e">{html.escape(title)}</text>',
        f'<svg x="{MARGIN}" y="{BAR + MARGIN}" width="{width - 2 * MARGIN}" height="{screen}">',
        f'<g class="s" transform="translate(0 {scroll[-1][1]})">',
    ]
    for n, (_, text) in enumerate(lines):
        if text:
            out.append(f'<text y="{n * HEIGHT + 14}" xml:space="preserve">{spans(text)}</text>')
    # What has not been written yet is behind a curtain, which every line moves down.
    out.append(f'<rect class="c" transform="translate(0 {curtain[-1][1]})" width="100%" height="{len(lines) * HEIGHT + screen}" fill="#1e222a"/>')
    out += ["</g></svg></svg>"]
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    output, command = sys.argv[1], sys.argv[2:]
    chunks, code = record(command)
    if code != 0:
        sys.stderr.write("".join(text for _, text in chunks))
        sys.exit(f"record.py: {' '.join(command)} ended with {code}: nothing is drawn")
    shown = " ".join(command)
    lines = [(0.0, f"$ \x1b[1m{shown}\x1b[0m")] + [(at + 0.8, text) for at, text in paced(lines_of(chunks))]
    with open(output, "w", encoding="utf-8") as f:
        f.write(draw(shown, folded(lines)))


main()
