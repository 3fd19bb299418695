"""Keys and values within texts, by what stands together."""

import pytest

from orchestrator.policy.definitions.texts.said_pairs import MOST_PAIRS, groups

DB = (("host", "db.shop"), ("port", "5432"))


@pytest.mark.parametrize(
    "text",
    [
        '{"db": {"host": "db.shop", "port": 5432}}',
        "db:\n  host: db.shop\n  port: 5432\n",
        "[db]\nhost = db.shop\nport = 5432\n\n[other]\nhost = x\n",
        '[db]\nhost = "db.shop"\nport = 5432\n',
        "host=db.shop\nport=5432\n",
        "# about\nexport host='db.shop'\nport: 5432\n{{ end }}\n",
        "host=db.shop port=5432",
        "host=tcp:db.shop;port=5432",
        '{"list": [{"deep": {"host": "db.shop", "port": 5432}}]}',
        '{"dsn": "host=db.shop port=5432"}',
    ],
)
def test_what_stands_together_is_one_group(text):
    assert DB in groups(text)


def test_items_of_a_list_have_the_key_of_the_list():
    for text in (
        '{"servers": ["a:1", "b:2"]}',
        "servers:\n- a:1\n- b:2\n",
        'servers = ["a:1", "b:2"]\nx = 1\n',
    ):
        assert {("servers", "a:1"), ("servers", "b:2")} <= {p for g in groups(text) for p in g}


def test_a_port_after_a_comma_is_the_server_s():
    assert ("Server", "db.shop:1433") in groups("Server=tcp:db.shop,1433;Data Source=x")[0]


@pytest.mark.parametrize("text", ["", "info", "http://a/?q=1&b=2", "[" * 9000, '{"a":' * 5000, "&a [*a, *a]"])
def test_what_has_no_pairs_has_none_however_odd_it_is(text):
    assert groups(text) == ()


def test_pairs_are_bounded():
    text = "\n".join(f"k{n}=v" for n in range(MOST_PAIRS * 3))
    assert sum(len(g) for g in groups(text)) == MOST_PAIRS
