"""How a plan grows with its rows, beside octoDNS's YAML-to-YAML plan of as many records.

    python -m benchmarks.plan [--rows 1000,10000,100000] [--without-octodns]

One row is one asset with 4 variables from a CSV; one octoDNS record is one MX record with two values. Three plans
each: first (nothing recorded), unchanged, and with 1 % of the rows changed. CPU seconds are those of the whole process,
best of 3.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Usage, best
from pictify_sync.core.entries import Recorded
from pictify_sync.core.model import Artifact, Asset, Record, Status
from pictify_sync.wiring import open_project

MANIFEST = """\
version: 1
name: cards
template: card
rows: rows.csv
key: "{{ id }}"
variables:
  title: "{{ title }}"
  author: "{{ author | upper }}"
  price: "{{ price | float }}"
  city: "{{ city }}"
output: "cards/{{ key }}.{{ format }}"
"""
TEMPLATE = """\
version: 1
kind: template
name: card
html: card.html
width: 600
height: 400
variables:
  title: {type: text, required: true}
  author: {type: text}
  price: {type: number}
  city: {type: text}
"""
HTML = "<body><h1>{{title}}</h1><p>{{author}}, {{city}}: {{price}}</p></body>"
PICTIFY = [sys.executable, "-m", "pictify_sync", "plan"]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", default="1000,10000,100000", help="sizes, comma-separated")
    parser.add_argument("--without-octodns", action="store_true", help="measure pictify-sync only")
    options = parser.parse_args()
    print(f"{'rows':>8} {'plan':<10} {'CPU s':>7} {'peak MB':>8} {'octoDNS CPU s':>14} {'peak MB':>8} {'ratio':>7}")
    for rows in map(int, options.rows.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            ours = measure_ours(Path(folder) / "ours", rows)
            theirs = {} if options.without_octodns else measure_octodns(Path(folder) / "theirs", rows)
            for name, usage in ours.items():
                print(row(rows, name, usage, theirs.get(name)), flush=True)


def row(rows: int, name: str, ours: Usage, theirs: Usage | None) -> str:
    """One line of the table."""
    line = f"{rows:>8} {name:<10} {ours.cpu:>7.2f} {ours.peak:>8.0f}"
    if theirs is None:
        return line
    return f"{line} {theirs.cpu:>14.2f} {theirs.peak:>8.0f} {theirs.cpu / ours.cpu:>6.1f}x"


def measure_ours(folder: Path, rows: int) -> dict[str, Usage]:
    """The three plans of pictify-sync."""
    manifests = folder / "manifests"
    manifests.mkdir(parents=True)
    (folder / "pictify-sync.yaml").write_text("version: 1\n")
    (manifests / "cards.yaml").write_text(MANIFEST)
    (manifests / "card.yaml").write_text(TEMPLATE)
    (manifests / "card.html").write_text(HTML)
    write_rows(manifests / "rows.csv", rows, changed=0)
    found = {"first": best(PICTIFY, folder)}
    record_everything(folder)
    found["unchanged"] = best(PICTIFY, folder)
    write_rows(manifests / "rows.csv", rows, changed=100)
    found["1 % new"] = best(PICTIFY, folder)
    return found


def write_rows(path: Path, rows: int, *, changed: int) -> None:
    """Write the CSV; with `changed` every so manieth row has another title."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "author", "price", "city"])
        for number in range(rows):
            mark = "New title" if changed and number % changed == 0 else "Title"
            writer.writerow([f"item-{number:07}", f"{mark} {number}", f"Author {number % 977}", number % 100, "Lisbon"])


def record_everything(folder: Path) -> None:
    """Record all desired assets as made, without rendering them."""
    project = open_project(folder / "pictify-sync.yaml", {})
    store = project.state(create=True)
    manifests = project.read([str(folder / "manifests")])
    serial, puts = 0, list[Record]()
    for record in map(made, manifests):
        puts.append(record)
        if len(puts) == 1000:
            serial = store.commit(serial, [Recorded("import", tuple(puts), (), (), "2026-01-01T00:00:00Z")])
            puts.clear()
    if puts:
        store.commit(serial, [Recorded("import", tuple(puts), (), (), "2026-01-01T00:00:00Z")])
    project.close()


def made(asset: Asset) -> Record:
    """The record that an apply would leave."""
    artifact = Artifact(asset.output, asset.fingerprint.variables * 2, 1000)
    return Record(asset.key, Status.STORED, asset.fingerprint, asset.spec, artifact, asset.output, attempts=1)


def measure_octodns(folder: Path, rows: int) -> dict[str, Usage]:
    """The three plans of octoDNS over one zone, from YAML to YAML."""
    for name in ("config", "there"):
        (folder / name).mkdir(parents=True)
    config = {
        name: f"{{class: octodns.provider.yaml.YamlProvider, directory: ./{name}}}" for name in ("config", "there")
    }
    providers = "".join(
        f"  {name}: {text[:-1]}, default_ttl: 300, enforce_order: false, supports_root_ns: false}}\n"
        for name, text in config.items()
    )
    zones = "zones:\n  example.com.:\n    sources: [config]\n    targets: [there]\n"
    (folder / "octodns.yaml").write_text(f"providers:\n{providers}{zones}")
    sync = [str(Path(sys.executable).parent / "octodns-sync"), "--config-file", "octodns.yaml"]
    zone = folder / "config" / "example.com.yaml"
    zone.write_text("".join(records(rows, changed=0)))
    runs = 1 if rows >= 100_000 else 3
    found = {"first": best(sync, folder, runs=runs)}
    (folder / "there" / "example.com.yaml").write_text(zone.read_text())
    found["unchanged"] = best(sync, folder, runs=runs)
    zone.write_text("".join(records(rows, changed=100)))
    found["1 % new"] = best(sync, folder, runs=runs)
    return found


def records(rows: int, *, changed: int) -> Iterator[str]:
    """The zone, a record per row."""
    yield "---\n"
    for number in range(rows):
        preference = 15 if changed and number % changed == 0 else 10
        first = f"{{exchange: a{number}.example.com., preference: {preference}}}"
        second = "{exchange: b.example.com., preference: 20}"
        yield f"r{number:07}: {{type: MX, ttl: 300, values: [{first}, {second}]}}\n"


if __name__ == "__main__":
    main()
