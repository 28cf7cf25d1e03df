"""``elastic`` against a real Elasticsearch: queries of the DSL and of Lucene, values that stay values, and what is not asked."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from elasticsearch import Elasticsearch

from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.destination import Reach
from playbooks.actions.elastic import Elastic
from playbooks.extension import EXTENSION
from playbooks.model import Action, Command, Party, Playbook, Variable
from playbooks.run.resolve import request_for
from playbooks.variables import Scope, Value, VariableError

INDEX = "liandun-playbook-elastic"
PEOPLE = ("zhang", "li", "* OR *", 'a"b\\c', "x:y (z)", "OR", "user", "1<2", "王 五", "a/b.*", "fuß~2", "\\u0041")


@pytest.fixture(scope="module")
def url(elasticsearch_url: str) -> Iterator[str]:
    client = Elasticsearch(elasticsearch_url)
    fields = {"properties": {"user": {"type": "keyword"}, "n": {"type": "integer"}}}
    client.indices.create(index=INDEX, mappings=fields, settings={"number_of_replicas": 0})
    for number, user in enumerate(PEOPLE):
        client.index(index=INDEX, id=str(number), document={"user": user, "n": number, "text": "y" * 30_000})
    client.indices.refresh(index=INDEX)
    yield elasticsearch_url
    client.indices.delete(index=INDEX)
    client.close()


def _request(url: str, query: str, *wanted: str, value: str = "", outputs: dict[str, str] | None = None, **more: Any) -> Request:
    step = Action(
        commands=[Command(type="elastic", command_b64=base64.b64encode(query.encode()).decode())],
        agent="liandun--1",
        targets=["http-api--1"],
        out_args=list(wanted),
        step_extensions={EXTENSION: {"outputs": outputs or {}, "parameters": {"elastic": {"index": INDEX, **more}}}},
    )
    made = Playbook(
        agent_definitions={"liandun--1": Party(type="liandun")},
        target_definitions={"http-api--1": Party(type="http-api", name="ES", address={"url": [url]})},
    )
    scope = Scope({"__who__": Variable(type="string", value=value), "__n__": Variable(type="integer", value="3")})
    return request_for(made, "action--1", step, (0, "http-api--1"), scope, "1.1")


def _run(request: Request, *, reach: Reach = Reach(("127.0.0.0/8",), ("127.0.0.1",)), seconds: float = 20) -> dict[str, Value]:
    return dict(Elastic(reach).run(request, Context(time.monotonic() + seconds)))


def _refused(request: Request, **more: Any) -> ActionError:
    with pytest.raises(ActionError) as caught:
        _run(request, **more)
    return caught.value


def test_number_and_documents(url: str) -> None:
    query = json.dumps({"query": {"term": {"user": "li"}}, "_source": ["user"]})
    pointers = {"__first__": "/hits/hits/0/_source/user", "__second__": "/hits/hits/1/_source/user"}
    got = _run(_request(url, query, "__hits__", "__first__", "__second__", outputs=pointers))
    assert got == {"__hits__": "1", "__first__": "li"}
    assert _run(_request(url, '{"match_all": {}}', "__any__", size="0")) == {"__any__": str(len(PEOPLE))}


def test_aggregations_and_counting(url: str) -> None:
    query = json.dumps({"size": 0, "aggs": {"most": {"max": {"field": "n"}}}})
    outputs = {"__most__": "/aggregations/most/value"}
    assert _run(_request(url, query, "__most__", outputs=outputs)) == {"__most__": str(float(len(PEOPLE) - 1))}
    assert _run(_request(url, "n:>=9", "__hits__", call="count")) == {"__hits__": str(len(PEOPLE) - 9)}


def test_a_number_without_quotes(url: str) -> None:
    assert _run(_request(url, '{"range": {"n": {"lt": __n__:value}}}', "__hits__")) == {"__hits__": "3"}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(
    "query", ['{"term": {"user": "__who__:value"}}', 'user:"__who__:value"', "user:__who__:value", "user:/__who__:value/"]
)
def test_a_value_is_that_value_only(url: str, query: str, who: str) -> None:
    if ("<" in who or who == "OR") and query.startswith("user:") and '"' not in query:
        with pytest.raises(VariableError, match="without quotes"):
            _request(url, query, value=who)
        return
    outputs = {"__first__": "/hits/hits/0/_source/user"}
    assert _run(_request(url, query, "__hits__", "__first__", value=who, outputs=outputs)) == {"__hits__": "1", "__first__": who}


@pytest.mark.parametrize("query", ["user:__who__:value", '{"query_string": {"query": "user:__who__:value"}}', '{"query": '])
def test_values_that_cannot_stand_there(url: str, query: str) -> None:
    with pytest.raises(VariableError):
        _request(url, query, value="" if query[0] != "{" else "li")


@pytest.mark.parametrize(
    ("query", "more", "said"),
    [
        ("", {}, "is empty"),
        ("[]", {}, "an object"),
        ('{"query": {"match_all": {}}, "pit": {"id": "x"}}', {}, "no 'pit'"),
        ('{"query": {"script_score": {"script": {"source": "1"}}}}', {}, "brings a program"),
        ('{"aggs": {"x": {"scripted_metric": {}}}}', {}, "brings a program"),
        ('{"query": {"match_all": {}}, "size": 5000}', {}, "100 at most"),
        ('{"query": {"match_all": {}}, "size": 1}', {"call": "count"}, "no size"),
        ("x", {"index": "a/_doc/1?refresh=true"}, "no name or pattern"),
        ("x", {"index": "_cluster"}, "no name or pattern"),
        ("x", {"index": ".."}, "no name or pattern"),
        ("x", {"call": "delete"}, "Invalid enum value"),
        ("x", {"size": "101"}, "<= 100"),
        ("x", {"unknown": "1"}, "unknown"),
    ],
)
def test_what_is_not_asked(query: str, more: dict[str, str], said: str) -> None:
    request = _request("http://127.0.0.1:9", query, **more)
    with pytest.raises(ActionError, match=said) as caught:
        Elastic().plan(request)
    assert caught.value.code == "COMMAND_WRONG"
    assert _refused(request).code == "COMMAND_WRONG"


def test_what_elasticsearch_refuses(url: str) -> None:
    wrong = _refused(_request(url, '{"query": {"no_such_query": {}}}'))
    assert (wrong.code, "no_such_query" in str(wrong)) == ("QUERY_WRONG", True)
    assert _refused(_request(url, "user:(")).code == "QUERY_WRONG"
    assert _refused(_request(url, "x", index="no-such-index")).code == "HTTP_ERROR"


def test_large_answers_and_pointers_to_nothing(url: str) -> None:
    long = {"query": {"match_all": {}}, "size": 100, "docvalue_fields": ["text.keyword"]}
    assert _run(_request(url, json.dumps(long), "__hits__"))["__hits__"] == str(len(PEOPLE))
    query = json.dumps({"size": 100, "aggs": {f"a{number}": {"top_hits": {"size": 10}} for number in range(6)}})
    assert _refused(_request(url, query)).code == "OUTPUT_TOO_LONG"
    missing = _request(url, "n:1", "__x__", outputs={"__x__": "/no/such"})
    assert _refused(missing).code == "OUTPUT_MISSING"


def test_it_goes_only_where_it_may(url: str) -> None:
    assert _refused(_request(url, "x"), reach=Reach()).code == "NOT_ALLOWED"
    assert _refused(_request("http://127.0.0.1:9", "x")).again


def test_a_server_that_is_none(url: str) -> None:
    assert urlsplit(url).port
    answer = _refused(_request(f"{url}/{INDEX}/_doc/1?x=", "x"))
    assert "must not carry" in str(answer)


@pytest.mark.parametrize("path", ["_doc", "%5Fdoc", "%255Fcreate", "x/_update", "_nodes"])
def test_an_address_does_not_lead_into_another_api(url: str, path: str) -> None:
    assert _refused(_request(f"{url}/{INDEX}/{path}", '{"query": {}}', index="")).code == "COMMAND_WRONG"
    assert _run(_request(url, '{"match_all": {}}', "__hits__", call="count")) == {"__hits__": str(len(PEOPLE))}


def test_a_plan_asks_nothing() -> None:
    plan = Elastic().plan(_request("https://es.example.cn:9200/prod", 'user:"__who__:value"', value="li", index="logs-*,-logs-x"))
    assert plan.line == 'search https://es.example.cn:9200/prod/logs-*,-logs-x/_search: user:"li"'
    assert plan.touches == ("https://es.example.cn:9200",)


@pytest.mark.parametrize("value", ["a,*", "*", "a,-b", "", "x:y", "A", "a/_doc", "a b"])
def test_a_value_names_no_other_index(value: str) -> None:
    with pytest.raises(VariableError):
        _request("https://es.example.cn", "x", value=value, index="logs-__who__:value")


def test_values_in_an_index() -> None:
    def asked(value: str, index: str) -> str:
        return Elastic().plan(_request("https://es.example.cn", "x", value=value, index=index)).line

    assert "/logs-water-2026.11,x/_search" in asked("water-2026.11", "logs-__who__:value,x")
    assert "/a-*,b/_search" in asked("a-*,b", "__who__:value")  # the whole of it: whoever gives it means all that it says
    with pytest.raises(VariableError, match="every index"):
        asked("", "__who__:value")
