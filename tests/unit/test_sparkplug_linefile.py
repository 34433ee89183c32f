"""[sparkplug] in a line file: what it means when little is written, and what is wrong with a wrong one."""

from pathlib import Path

import pytest

from agent.linefile import LineFileError, load

LINES = Path(__file__).parents[2] / "firmware_configs" / "lines"
GOOD = next(LINES.glob("*.toml")).read_text(encoding="utf-8")


def written(tmp_path, table, text=GOOD):
    path = tmp_path / "line.toml"
    path.write_text(text.replace("[panel]", f"{table}\n[panel]", 1), encoding="utf-8")
    return path


def test_an_empty_table_is_an_edge_node_at_the_plants_broker(tmp_path):
    file = load(written(tmp_path, "[sparkplug]"))
    assert file.sparkplug is not None
    assert (file.sparkplug.group, file.sparkplug.node, file.sparkplug.primary_host) == (None, None, None)
    assert file.sparkplug.broker == ()


def test_brokers_of_its_own_are_kept_in_order(tmp_path):
    table = (
        '[sparkplug]\ngroup = "Foshan:Appliances"\nprimary_host = "scada"\n'
        '[[sparkplug.broker]]\nhost = "a"\n[[sparkplug.broker]]\nhost = "b"\nport = 8883\nca_file = "ca.pem"'
    )
    file = load(written(tmp_path, table))
    assert [(one.host, one.port) for one in file.sparkplug.broker] == [("a", 1883), ("b", 8883)]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[sparkplug]\ngroup = "foshan/appliances"', "sparkplug, group: "),
        ('[sparkplug]\nhost = "scada"', "sparkplug, host: unknown key; did you mean 'primary_host'?"),
        ("[sparkplug]\n[[sparkplug.broker]]\nport = 1883", "sparkplug, broker number 1, host: is missing; write it"),
        (
            '[sparkplug]\n[[sparkplug.broker]]\nhost = "a"\nconsumer = "x"',
            "sparkplug, broker number 1, consumer: unknown key",
        ),
    ],
)
def test_a_mistake_is_told_where_it_stands(tmp_path, table, told):
    with pytest.raises(LineFileError) as caught:
        load(written(tmp_path, table))
    assert [str(one).startswith(told) for one in caught.value.mistakes] == [True], str(caught.value)


def test_a_node_without_a_broker_is_a_mistake(tmp_path):
    text = GOOD.replace("[mqtt]\n", "[sparkplug]\n", 1).replace('host = "127.0.0.1"\nport = 1883\n', "", 1)
    with pytest.raises(LineFileError, match=r"sparkplug: there is no broker to go to; add \[mqtt\]"):
        load(written(tmp_path, "", text))
