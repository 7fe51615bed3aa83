"""Makes the jars that tests need to keep Iceberg tables with PySpark 3.5, out of two packages, into a folder.

    python tools/iceberg_jars.py build/iceberg

Iceberg's runtime is in a package for another use, without its private copy of Jackson; PySpark brings Jackson, which is put
where the runtime looks for it. For tests alone: a deployment takes the runtime from Maven (docs/spark.md).
"""

import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyspark

CARRIER = "snowpark-connect-deps-iceberg==1.0.3"
RUNTIME = "iceberg-spark-runtime-3.5_2.12"
MOVED = {
    b"com/fasterxml/jackson": b"org/apache/iceberg/shaded/com/fasterxml/jackson",
    b"com.fasterxml.jackson": b"org.apache.iceberg.shaded.com.fasterxml.jackson",
}
TEXT, WIDE = 1, (5, 6)
"""Kinds of entries in a class file's table of constants: text, and numbers that take two places."""
SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
"""Bytes of the other kinds."""


def moved(text: bytes) -> bytes:
    """Names of Jackson's packages, as they are within Iceberg."""
    for old, new in MOVED.items():
        text = text.replace(old, new)
    return text


def moved_class(compiled: bytes) -> bytes:
    """A class file whose table of constants has the new names."""
    (count,) = struct.unpack(">H", compiled[8:10])
    made, at, number = bytearray(compiled[:10]), 10, 1
    while number < count:
        kind = compiled[at]
        if kind == TEXT:
            (length,) = struct.unpack(">H", compiled[at + 1 : at + 3])
            text = moved(compiled[at + 3 : at + 3 + length])
            made += bytes([TEXT]) + struct.pack(">H", len(text)) + text
            at += 3 + length
        else:
            made += compiled[at : at + 1 + SIZES[kind]]
            at += 1 + SIZES[kind]
        number += 2 if kind in WIDE else 1
    return bytes(made) + compiled[at:]


def jackson() -> Iterator[tuple[str, bytes]]:
    """The files of Jackson's jars, moved."""
    for part in ("core", "databind", "annotations"):
        for jar in sorted((Path(pyspark.__file__).parent / "jars").glob(f"jackson-{part}-2.*.jar")):
            with zipfile.ZipFile(jar) as files:
                for name in files.namelist():
                    if name.startswith("META-INF/versions") or name.endswith(("module-info.class", "/")):
                        continue
                    if name.endswith(".class"):
                        yield moved(name.encode()).decode(), moved_class(files.read(name))
                    elif name.startswith("META-INF/services"):
                        yield moved(name.encode()).decode(), moved(files.read(name))


def main(folder: Path) -> None:
    """Makes both jars, where they are not there yet."""
    runtime, own_jackson = folder / "iceberg.jar", folder / "jackson.jar"
    folder.mkdir(parents=True, exist_ok=True)
    if not runtime.exists():
        with tempfile.TemporaryDirectory() as passing:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", passing, CARRIER]
            subprocess.run(command, check=True)
            with zipfile.ZipFile(next(Path(passing).glob("*.whl"))) as files:
                (name,) = (n for n in files.namelist() if RUNTIME in n and n.endswith(".jar"))
                runtime.write_bytes(files.read(name))
    if not own_jackson.exists():
        with zipfile.ZipFile(own_jackson, "w", zipfile.ZIP_DEFLATED) as files:
            for name, content in jackson():
                files.writestr(name, content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
