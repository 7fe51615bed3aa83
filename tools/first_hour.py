"""Makes what `docs/first-hour.md` shows: the exports of a made-up company, and pictures of its commands and pages as they are.

`make first-hour` writes to build/first-hour and docs/images; `python tools/first_hour.py exports FOLDER` writes the exports
alone. The page says what is typed; it is read from there, so that a picture cannot show another command.
"""

import base64
import csv
import io
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "first-hour.md"
PICTURES = ROOT / "docs" / "images"
LAST = date(2025, 6, 30)
NAMES = (
    *("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper", "Katsura", "Larch"),
    *(
        "Maple",
        "Nettle",
        "Oak",
        "Pine",
        "Quince",
        "Rowan",
        "Spruce",
        "Tamarisk",
        "Umbra",
        "Viburnum",
        "Willow",
        "Yarrow",
    ),
    *("Zelkova", "Aspen", "Beech", "Cypress", "Damson", "Elder", "Fern", "Ginkgo", "Holly", "Iris", "Jasmine", "Kapok"),
)
TRADES = ("Foods", "Logistics", "Clinics", "Print", "Design", "Tools")
OWNERS = ("Ines Vogt", "Jon Hale", "Mara Kern")
PLANS = {"Starter": 240, "Team": 690, "Business": 1900}
COLOURS = 256
WIDTH = 118
"""Of the terminal, in characters."""
BEATS = 12
SHOWN_AS = "~/company"
SANDBOX = ["--no-sandbox"]  # as in containers


def main(words: Sequence[str]) -> None:
    """Writes the exports alone, or all of it."""
    if words[:1] == ["exports"] and len(words) == 2:
        write_exports(Path(words[1]))
        print(f"{words[1]}: exports of a made-up company, up to {LAST}")
        return
    folder = ROOT / "build" / "first-hour"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _follow(folder)


def write_exports(folder: Path) -> None:
    """Four exports as a CRM, a billing system, a help desk and an app write them; the same at every call."""
    draw = random.Random(29)
    companies, contracts, tickets, events = [], [], [], []
    for number, name in enumerate(NAMES):
        company, plan = 8100 + number, draw.choices(list(PLANS), (5, 4, 2))[0]
        signed = LAST - timedelta(days=draw.randint(150, 700))
        owner, size = draw.choice(OWNERS), {"Starter": 12, "Team": 60, "Business": 350}[plan]
        companies.append(
            {
                "Record ID": company,
                "Company name": f"{name} {TRADES[number % len(TRADES)]}",
                "Company owner": owner,
                "Country/Region": draw.choice(("Germany", "Austria", "Netherlands")),
                "Industry": TRADES[number % len(TRADES)],
                "Number of Employees": size + draw.randint(0, size),
                "Create Date": f"{signed} 09:{number:02}",
            }
        )
        ended = draw.random() < 0.08
        end = LAST - timedelta(days=draw.randint(10, 100)) if ended else None
        contracts.append(
            {
                "Contract": f"C-{number + 1:03}",
                "Company ID": company,
                "Plan": plan,
                "MRR": PLANS[plan] + 10 * draw.randint(0, 9),
                "Currency": "EUR",
                "Start date": signed,
                "End date": end or "",
                "Status": "canceled" if ended else "active",
            }
        )
        fading = draw.random() < 0.25
        for back in range(120):
            day = LAST - timedelta(days=back)
            rate = 0.1 if fading and back < 45 else 0.7
            if draw.random() < rate and day >= signed and not (end and day > end) and day.weekday() < 5:
                at = datetime(day.year, day.month, day.day, draw.randint(7, 17), draw.randint(0, 59))
                user = f"u{company}{draw.randint(1, 3)}"
                events.append((f"e{len(events) + 1}", company, user, draw.choice(("login", "report_created")), at))
        for _ in range(draw.randint(0, 5 if fading else 2)):
            opened = datetime(LAST.year, LAST.month, LAST.day, 9) - timedelta(hours=draw.randint(20, 2600))
            closed = opened + timedelta(hours=draw.randint(2, 90)) if draw.random() < 0.75 else None
            tickets.append(
                {
                    "Ticket ID": 500 + len(tickets),
                    "Company ID": company,
                    "Priority": draw.choice(("urgent", "high", "normal", "low")),
                    "Status": "solved" if closed else "open",
                    "Created at": opened,
                    "Solved at": closed or "",
                }
            )
    _write(folder / "companies.csv", companies)
    _write(folder / "contracts.csv", contracts)
    _write(folder / "tickets.csv", tickets)
    named = ("Event ID", "Company ID", "User ID", "Event", "Timestamp")
    _write(folder / "product_events.csv", [dict(zip(named, event, strict=True)) for event in events])


def _write(file: Path, rows: list[dict[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


# pictures


def _follow(folder: Path) -> None:
    """Does what the page says, block by block, and takes a picture where it shows one."""
    from playwright.sync_api import sync_playwright

    write_exports(folder / "exports")
    variables = os.environ | {"COLUMNS": str(WIDTH), "PWD": str(folder)}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    variables = {name: value for name, value in variables.items() if not name.startswith(("CX_", "DAGSTER_"))}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=SANDBOX
        )
        pages = browser.new_page(viewport={"width": 1200, "height": 760})
        for kind, text, picture in _BLOCK.findall(PAGE.read_text(encoding="utf-8")):
            if kind == "yaml":
                with (folder / "orchard.yaml").open("a", encoding="utf-8") as draft:
                    draft.write(f"\n{text}")
                continue
            shown = "".join(_typed(line, folder, variables) for line in text.splitlines())
            if picture.endswith("page.png"):
                pages.goto(Path(shown.split()[-1].replace(SHOWN_AS, str(folder))).as_uri())
                pages.wait_for_timeout(2500)
                taken = pages.screenshot()
            elif picture:
                taken = _terminal(browser, shown)
            if picture:
                (PICTURES / picture).write_bytes(_small(pages, taken))
                print(f"{picture}: {(PICTURES / picture).stat().st_size / 1000:.0f} kB")
        browser.close()


def _typed(line: str, folder: Path, variables: dict[str, str]) -> str:
    """The line as a terminal shows it, and what it prints."""
    command = line.removeprefix("$ ")
    if command.startswith("export "):
        stated = (word.split("=", 1) for word in command.split()[1:])
        variables |= {name: value.replace("$PWD", str(folder)) for name, value in stated}
        return f"{line}\n"
    done = subprocess.run(command, shell=True, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stdout}{done.stderr}")
    return f"{line}\n{_some_beats(done.stdout)}{done.stderr}".replace(str(folder), SHOWN_AS)


def _some_beats(text: str) -> str:
    """The text with a dozen of the lines that say how far a refresh is, however slow the machine was."""
    lines = text.splitlines(keepends=True)
    beats = [n for n, line in enumerate(lines) if _BEAT.match(line)]
    kept = set(beats[:: max(1, -(-len(beats) // BEATS))])
    return "".join(line for n, line in enumerate(lines) if n in kept or n not in beats)


def _terminal(browser: Any, text: str) -> bytes:
    """A picture of a terminal that shows the text."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text(text.rstrip("\n")))
    page = browser.new_page(viewport={"width": 1200, "height": 400})
    page.set_content(f"<body style='margin:0'>{console.export_svg(title='cx-intel')}</body>")
    taken: bytes = page.locator("svg").screenshot()
    page.close()
    return taken


def _small(page: Any, taken: bytes) -> bytes:
    """The picture with at most 256 colours: a fifth of its bytes."""
    found = page.evaluate(_COUNT_COLOURS, [base64.b64encode(taken).decode(), COLOURS])
    pixels, width, height = base64.b64decode(found["pixels"]), found["width"], found["height"]
    lines = b"".join(b"\0" + pixels[row * width : (row + 1) * width] for row in range(height))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(found["palette"])),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


_BLOCK = re.compile(
    r"^```(console|yaml)\n(.*?)^```\n(?:\n!\[[^\]]*\]\(images/([a-z-]+\.png)\))?", re.MULTILINE | re.DOTALL
)
"""A block of commands or YAML, and the picture after it."""
_BEAT = re.compile(r" +[0-9]+ s  ")
_COUNT_COLOURS = """async ([picture, most]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const data = canvas.getImageData(0, 0, image.width, image.height).data, counts = new Map();
  const key = (i) => ((data[i] >> 3) << 10) | ((data[i + 1] >> 3) << 5) | (data[i + 2] >> 3);
  for (let i = 0; i < data.length; i += 4) {
    const found = counts.get(key(i)) || [0, 0, 0, 0];
    found[0]++; found[1] += data[i]; found[2] += data[i + 1]; found[3] += data[i + 2];
    counts.set(key(i), found);
  }
  const kept = [...counts].sort((a, b) => b[1][0] - a[1][0]).slice(0, most);
  const colours = kept.map(([, [n, r, g, b]]) => [Math.round(r / n), Math.round(g / n), Math.round(b / n)]);
  const places = new Map(kept.map(([k], place) => [k, place]));
  const distance = (a, i) => (a[0] - data[i]) ** 2 + (a[1] - data[i + 1]) ** 2 + (a[2] - data[i + 2]) ** 2;
  const pixels = new Uint8Array(data.length / 4);
  for (let i = 0; i < data.length; i += 4) {
    if (!places.has(key(i))) {
      places.set(key(i), colours.reduce((best, c, place) => (distance(c, i) < distance(colours[best], i) ? place : best), 0));
    }
    pixels[i / 4] = places.get(key(i));
  }
  let text = "";
  for (const pixel of pixels) text += String.fromCharCode(pixel);
  return {width: image.width, height: image.height, palette: colours.flat(), pixels: btoa(text)};
}"""

if __name__ == "__main__":
    main(sys.argv[1:])
