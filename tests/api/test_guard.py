"""Who comes in, what answers carry, errors that tell nothing, and the document of it all."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.api.guard import is_loopback

LOOPBACK = ["localhost", "LOCALHOST:8001", "127.0.0.1", "127.0.0.1:1", "127.1.2.3:80", "[::1]:8001"]
FOREIGN = [
    "", "evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "10.0.0.1", "[::2]", "::1",
    "localhost:", "localhost:x", "[::1", "[localhost]", "[127.0.0.1]", "0x7f.1", "2130706433",
    "0.0.0.0", "localhost:80:80", "localhost@evil.test", "[::ffff:10.0.0.1]", "localhost:٣",
]  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
def test_own_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", FOREIGN)
def test_foreign_names(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/drift", "/livez", "/docs", "/nope"])
def test_a_rebound_name_is_421(client: Any, path: str) -> None:
    answer = client.get(path, headers={"host": "evil.test"})
    assert answer.status_code == 421
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get(path, headers={"host": "[::1]:9"}).status_code != 421


def test_a_public_control_port_has_any_name(client_of: Any) -> None:
    client, _ = client_of(loopback=False, token="t")
    assert client.get("/livez", headers={"host": "sidelight.example"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/drift", "/metrics", "/nope", "/assets/page.js"])
def test_every_answer_carries_the_headers(client: Any, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_docs_may_not_run_foreign_scripts(client: Any) -> None:
    policy = client.get("/docs").headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "script-src" not in policy, "so scripts fall back to 'self' alone"


def test_a_broken_house_tells_nothing(client: Any, house: Any) -> None:
    async def broken() -> tuple[bool, str]:
        raise RuntimeError("canary: /etc/passwd")

    house.ready = broken
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (500, {"error": "internal error"})
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("method", "status"), [("DELETE", 405), ("POST", 405), ("GET", 404)])
def test_other_errors_have_the_same_shape(client: Any, method: str, status: int) -> None:
    path = "/api/v1/drift" if status == 405 else "/api/v2/drift"
    answer = client.ask(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


def _nodes(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for each in node for found in _nodes(each)]
    if isinstance(node, dict):
        return [node, *(found for each in node.values() for found in _nodes(each))]
    return []


def test_the_document_is_openapi_3_0(client: Any) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.0.3"
    assert set(document["paths"]) == {
        "/feedback", "/events", "/metrics", "/livez", "/readyz", "/api/v1/drift", "/api/v1/columns",
        "/api/v1/columns/{name}",
        "/api/v1/performance", "/api/v1/alerts", "/api/v1/health", "/api/v1/reference",
        "/api/v1/predictions/{prediction_id}", "/api/v1/labels",
    }  # fmt: skip
    nodes = _nodes(document)
    schemas = document["components"]["schemas"]
    for node in nodes:
        assert node.get("type") != "null", "3.0 knows nullable, not null"
        assert "const" not in node
        assert not isinstance(node.get("examples"), list)
        if "$ref" in node:
            assert node["$ref"].rpartition("/")[2] in schemas
    assert {"LabelItem", "LabelsItem", "FeedbackReport"} <= set(schemas)
    post = document["paths"]["/feedback"]["post"]
    assert {"202", "413", "415", "422", "429", "503"} <= set(post["responses"])


def test_the_document_asks_for_a_token_where_one_is_set(client_of: Any) -> None:
    for token, security in (("t", [{"HTTPBearer": []}]), (None, None)):
        client, _ = client_of(token=token)
        document = client.get("/openapi.json").json()
        post = document["paths"]["/feedback"]["post"]
        assert post.get("security") == security
        assert ("401" in post["responses"]) == (token is not None)
        assert ("securitySchemes" in document["components"]) == (token is not None)
