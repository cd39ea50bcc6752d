"""What the hub tells: nodes, things, properties, history, ledger, vitals, its own description, files."""

from __future__ import annotations

import jsonschema
import pytest

from pilothouse.hub.api import api_routes


async def test_nodes_and_things_are_listed(hub, agent) -> None:
    """With the hub's time, and anew after every change."""
    nodes = (await hub.client.get("/api/nodes")).json()
    assert nodes["time"] > 0 and nodes["nodes"][0]["node"] == "pi" and nodes["nodes"][0]["life"] == "here"
    await agent.read({"temperature": 20.0})
    await _until_value(hub, "temperature", 20.0)
    await agent.read({"temperature": 21.0})
    await _until_value(hub, "temperature", 21.0)


async def _until_value(hub, name: str, value: object) -> None:
    for _ in range(2000):
        things = (await hub.client.get("/api/things")).json()["things"]
        if things[0]["properties"][name]["value"] == value:
            return
    raise AssertionError(f"{name} never became {value}")


async def test_a_thing_comes_with_its_description(hub, agent) -> None:
    """And a description by the standard beside it."""
    thing = (await hub.client.get("/api/things/pi/bench")).json()
    assert thing["description"]["properties"]["level"]["maximum"] == 100
    answer = await hub.client.get("/api/things/pi/bench/description")
    assert answer.headers["content-type"] == "application/td+json"
    assert answer.json()["base"].startswith(hub.url)
    missing = await hub.client.get("/api/things/pi/benhc")
    assert missing.status_code == 404 and missing.json()["nearest"] == "bench"


async def test_a_property_has_its_age(hub, agent, until) -> None:
    """null before it was ever read."""
    path = "/api/things/pi/bench/properties/temperature"
    before = (await hub.client.get(path)).json()
    assert before["age_ms"] is None and before["unit"] == "Cel"
    await agent.read({"temperature": 20.5})
    await _until_value(hub, "temperature", 20.5)
    after = (await hub.client.get(path)).json()
    assert after["value"] == 20.5 and 0 <= after["age_ms"] < 5000 and after["quality"] == "good"
    assert (await hub.client.get(path + "x")).json()["nearest"] == "temperature"


async def test_the_ledger_is_filtered_and_paged(hub, agent) -> None:
    """By thing and end; bad ends are a 400 that names the nearest."""
    ids = [(await hub.set("pi/bench.level", number)).json()["id"] for number in range(5)]
    for id in ids:
        assert (await hub.client.get(f"/api/ledger/{id}")).json()["id"] == id
    lines = (await hub.client.get("/api/ledger?limit=2")).json()["lines"]
    assert [line["id"] for line in lines] == ids[:-3:-1]
    more = (await hub.client.get(f"/api/ledger?before={lines[-1]['id']}&node=pi&thing=bench&who=ada")).json()["lines"]
    assert [line["id"] for line in more] == ids[2::-1]
    assert (await hub.client.get("/api/ledger?end=refused")).json()["lines"] == []
    bad = await hub.client.get("/api/ledger?end=confirmd")
    assert bad.status_code == 400 and bad.json()["nearest"] == "confirmed"
    assert (await hub.client.get("/api/ledger/none-of-ours")).status_code == 404
    assert (await hub.client.get("/api/ledger?limit=0")).status_code == 400


BAD_QUESTIONS = [
    "",
    "series=nonsense",
    "series=a/b.c&from=yesterday",
    "series=a/b.c&points=1e9",
    "series=a/b.c&points=0",
    "series=a/b.c&from=now&to=-1h",
    "series=a/b.c&from=99999999999999999999",
    "series=" + ",".join(f"a/b.c{n}" for n in range(51)),
]


async def test_bad_questions_about_history_are_400(lonely_hub) -> None:
    """With cause; never a trace."""
    for query in BAD_QUESTIONS:
        answer = await lonely_hub.client.get(f"/api/history?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.json()["title"] and answer.json()["detail"]


async def test_history_of_what_never_was_is_empty(lonely_hub) -> None:
    """Also before the keeper ever ran."""
    answer = await lonely_hub.client.get("/api/history?series=pi/bench.level&series=pi/bench.on&from=-1h")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [one["series"] for one in found["series"]] == ["pi/bench.level", "pi/bench.on"]
    assert found["to"] - found["from"] == 3_600_000
    assert (await lonely_hub.client.get("/api/events")).json()["events"] == []


async def test_vitals_answer_without_sampling(hub, start_agent, until) -> None:
    """The thing "host" of the hub's own node; null without it; a mad interval is a 400."""
    empty = (await hub.client.get("/stats")).json()
    assert empty["node"] == "pi" and empty["cpu"] is None and empty["memory"]["total"] is None
    for bad in ("0", "-1", "1e9", "nan", "abc", "", "0.01", "60.5"):
        answer = await hub.client.get(f"/stats?interval={bad}")
        assert answer.status_code == 400 and answer.json()["remedy"], bad
    async with start_agent(things=("host",)) as agent:
        agent.description = lambda thing: _host(agent.node)
        await agent.describe("host")
        await until(lambda: hub.site.directory.things() != [], "the host is known")
        await until(lambda: "cpu" in hub.site.directory.things()[0].properties, "its CPU is known")
        await agent.read({"cpu": 12.5, "temperature": 48.2, "memory_total": 1000, "uptime": 3600}, "host")
        await until(lambda: hub.site.directory.things()[0].properties["uptime"].time, "it was read")
        stats = (await hub.client.get("/stats")).json()
        assert (stats["cpu"], stats["temperature"], stats["memory"]["total"]) == (12.5, 48.2, 1000)
        assert 3600 <= stats["uptime"] <= 3610 and stats["interval"] is None
        mean = (await hub.client.get("/stats?interval=10")).json()
        assert mean["cpu"] == 12.5 and mean["interval"] == 10


def _host(node: str):
    from pilothouse.model import PropertyDescription, ThingDescription

    names = ("cpu", "temperature", "memory_total", "uptime")
    properties = {name: PropertyDescription(name=name, schema={"type": "number"}) for name in names}
    return ThingDescription(node=node, name="host", properties=properties)


async def test_the_description_of_the_api_is_whole(lonely_hub) -> None:
    """OpenAPI 3.1: every route, every problem, bodies with examples; nothing of it from another host."""
    answer = await lonely_hub.client.get("/api/openapi.json")
    document = answer.json()
    assert document["openapi"].startswith("3.1") and document["info"]["title"] == "Pilothouse"
    for route in api_routes:
        if not route.include_in_schema:
            continue
        (path,) = route.paths
        (method,) = route.http_methods
        operation = document["paths"][path.replace(":str", "")][method.lower()]
        assert operation["description"] and operation["summary"] and operation["tags"], path
        assert "application/problem+json" in operation["responses"]["401"]["content"], path
        for parameter in operation.get("parameters", []):
            assert parameter["in"] == "path" or parameter["description"], (path, parameter["name"])
    write = document["paths"]["/api/things/{node}/{thing}/properties/{name}"]["put"]
    content = write["requestBody"]["content"]["application/json"]
    jsonschema.validate(content["example"], content["schema"])
    assert {"200", "404", "409", "422", "502", "503", "504"} <= set(write["responses"])
    assert document["paths"]["/api/live"]["get"]
    assert "://" not in answer.text.replace('"url":"/"', "")


async def test_what_is_not_there_and_what_cannot_be_asked(lonely_hub) -> None:
    """404 and 405 as problems for programs, as pages for browsers."""
    client = lonely_hub.client
    answer = await client.get("/api/nonsense")
    assert answer.status_code == 404 and "/api/nonsense" in answer.json()["detail"]
    answer = await client.delete("/api/things")
    assert answer.status_code == 405 and "GET" in answer.headers["allow"] and answer.json()["remedy"]
    page = await client.get("/nonsense", headers={"Accept": "text/html,*/*"})
    assert page.status_code == 404 and page.headers["content-type"].startswith("text/html")
    assert (await client.head("/api/things")).status_code == 200


async def test_files_are_cached_and_packed(lonely_hub, tmp_path) -> None:
    """ETag and 304; for ever with a version; gzip; no way out of the folder."""
    from pilothouse.hub.pages.render import STATIC

    files = [file for file in STATIC.rglob("*.css") if file.is_file()]
    if not files:
        pytest.skip("there are no files yet")
    path = f"/static/{files[0].relative_to(STATIC).as_posix()}"
    client = lonely_hub.client
    answer = await client.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.content == files[0].read_bytes() and answer.headers["cache-control"] == "no-cache"
    again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert "immutable" in (await client.get(f"{path}?v=1")).headers["cache-control"]
    for bad in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/", "/static/%00"):
        assert (await client.get(bad)).status_code == 404, bad
