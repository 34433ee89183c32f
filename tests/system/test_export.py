"""`tanchang export` on a real ledger: what is in it is in the table, no more and no less."""

from __future__ import annotations

import csv
import io
import sys

import numpy as np
import pytest

from agent.cli import main
from agent.ledger import Block, Ledger
from agent.model import SECOND, Batch, Kind, Record
from agent.storage import samples


@pytest.fixture
async def folder(tmp_path):
    ledger = await Ledger.open(tmp_path / "data")
    counts = [
        Record(Kind.COUNT, "press1", number * SECOND, {"counter": "good", "delta": 1, "note": None}, simulated=True)
        for number in range(1, 1202)
    ]
    kpi = Record(Kind.KPI, "", 5 * SECOND, {"name": "takt", "window": {"kind": "hour"}, "time": "x"}, simulated=True)
    times = np.arange(4, dtype=np.int64) * SECOND
    values = np.array([1.5, np.nan, 2.5, 3.0])
    batch = Batch(np.zeros(4, np.uint32), values, times, np.zeros(4, np.uint32), int(times[-1]), 1, {1: "broken"})
    block = Block("press1", ("force",), 0, int(times[-1]), 4, samples.encode([batch]))
    await ledger.commit([*counts, kpi], blocks=[block])
    yield ledger.folder
    await ledger.close()


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_records_of_a_kind_and_span_are_all_there_once(folder, capsys):
    assert main(["export", str(folder), "--kind", "count"]) == 0
    told = capsys.readouterr()
    rows = table(told.out)
    assert [int(row["seq"]) for row in rows] == list(range(1, 1202))
    assert rows[0] | {"ledger": ""} == {
        "ledger": "", "seq": "1", "kind": "count", "machine": "press1", "time": "1970-01-01T00:00:01.000Z",
        "sim": "True", "counter": "good", "delta": "1", "note": "",
    }  # fmt: skip
    assert "1201 rows" in told.err
    span = ["--from", "1970-01-01T00:00:03Z", "--to", "1970-01-01T00:00:05Z"]
    assert main(["export", str(folder), "--kind", "count", *span]) == 0
    assert [int(row["seq"]) for row in table(capsys.readouterr().out)] == [3, 4]


def test_what_is_nested_is_json_and_no_name_hides_another(folder, tmp_path):
    assert main(["export", str(folder), "--kind", "kpi", "--out", str(tmp_path / "kpi.csv")]) == 0
    (row,) = table((tmp_path / "kpi.csv").read_text(encoding="utf-8"))
    assert (row["window"], row["time"], row["body_time"]) == ('{"kind": "hour"}', "1970-01-01T00:00:05.000Z", "x")


def test_samples_of_a_tag_and_the_tags_there_are_where_it_is_unknown(folder, capsys):
    assert main(["export", str(folder), "--samples", "press1.force", "--from", "1970-01-01T00:00:01Z"]) == 0
    rows = table(capsys.readouterr().out)
    assert [(row["source_time_ns"], row["value"]) for row in rows] == [
        (str(SECOND), ""), (str(2 * SECOND), "2.5"), (str(3 * SECOND), "3.0"),
    ]  # fmt: skip
    assert main(["export", str(folder), "--samples", "press1.speed"]) == 2
    assert "there are: press1.force" in capsys.readouterr().err


def test_without_pyarrow_the_extra_is_named(folder, tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    out = tmp_path / "counts.parquet"
    assert main(["export", str(folder), "--kind", "count", "--format", "parquet", "--out", str(out)]) == 2
    assert "tanchang[parquet]" in capsys.readouterr().err
    assert not out.exists()


def test_parquet_holds_what_the_csv_does(folder, tmp_path):
    import pyarrow.parquet

    out = tmp_path / "counts.parquet"
    assert main(["export", str(folder), "--kind", "count", "--format", "parquet", "--out", str(out)]) == 0
    rows = pyarrow.parquet.read_table(out).to_pylist()
    assert [row["seq"] for row in rows] == list(range(1, 1202))
    assert (rows[0]["sim"], rows[0]["delta"], rows[0]["note"]) == (True, 1, None)
