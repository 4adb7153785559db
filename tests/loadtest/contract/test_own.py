"""LAB_REQUEST and the form: what is asked is what they say, or refused in one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from loadtest.contract import own
from loadtest.contract.own import OwnRequestError
from loadtest.engine.own_request import own_request
from loadtest.model.target import Target

HTTP_NAMES = some.from_regex(r"X-[A-Za-z0-9-]{1,8}", fullmatch=True)
LATIN = some.text(some.characters(min_codepoint=32, max_codepoint=126), max_size=20)
TARGETS = some.builds(
    Target,
    url=some.from_regex(r"http://localhost/[a-z0-9/_.-]{0,9}(\?[a-z0-9=&%]{1,9})?", fullmatch=True),
    method=some.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "M-SEARCH"]),
    headers=some.dictionaries(HTTP_NAMES, LATIN.map(str.strip), max_size=3),
    body=some.text(max_size=40),
    status=some.none() | some.integers(200, 599),
    content=some.none() | some.text(max_size=20),
    insecure=some.booleans(),
)


def read(text: str) -> Target:
    return own.from_variables({"LAB_REQUEST": text})


@given(TARGETS)
def test_what_is_written_for_a_target_is_read_as_it(target: Target) -> None:
    assert own.checked(target) == target
    assert read(own.as_variable(target)) == target
    assert own.from_form(own.as_form(target), target) == target


def test_without_one_the_start_of_the_service_is_asked() -> None:
    for variables in ({}, {"LAB_REQUEST": " "}, {"LAB_REQUEST": "{}"}):
        asked = own.at(own.from_variables(variables), "https://h:8443")
        assert asked == Target("https://h:8443/")


def test_what_is_easily_meant_is_taken() -> None:
    text = '{"method": "post", "path": "/süß?q=ä", "body": {"a": ["ü"]}, "status": "201"}'
    found = read(text)
    assert (found.method, found.status, json.loads(found.body)) == ("POST", 201, {"a": ["ü"]})
    assert own.path_of(found) == "/s%C3%BC%C3%9F?q=%C3%A4"
    form = {"headers": "Authorization: Bearer a:b\nX-Key: 1", "status": " 404 "}
    filled = own.from_form(form, Target("http://h/"))
    assert filled.headers == {"Authorization": "Bearer a:b", "X-Key": "1"}
    assert filled.status == 404
    assert own.from_form({"status": "", "method": ""}, filled).status is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "LAB_REQUEST is no JSON: "),
        ('["/"]', "LAB_REQUEST is no JSON object"),
        ('{"url": "/"}', "unknown key 'url'; there are: method, path, headers, body, status"),
        ('{"method": "GET /"}', "LAB_REQUEST: method: write GET, POST"),
        ('{"method": "CONNECT"}', "LAB_REQUEST: method: "),
        ('{"path": "search"}', "LAB_REQUEST: path: write it from its first /"),
        ('{"path": 3}', "LAB_REQUEST: path: "),
        ('{"path": "/a b"}', "write %20"),
        ('{"path": "/a#b"}', "%23"),
        ('{"path": "/a\\r\\nX: y"}', "LAB_REQUEST: path: "),
        ('{"headers": "no colon"}', "LAB_REQUEST: headers: write NAME: VALUE"),
        ('{"headers": "{"}', "LAB_REQUEST: headers: write NAME: VALUE"),
        ('{"headers": 1}', "LAB_REQUEST: headers: "),
        ('{"headers": {"a b": "c"}}', "'a b' is no name of a header"),
        ('{"headers": {"a": "b\\r\\nc: d"}}', "a needs text on one line"),
        ('{"headers": {"a": 1}}', "a needs text on one line"),
        ('{"headers": {"a": "日"}}', "a has a letter that no header can hold"),
        ('{"headers": {"Content-Length": "1"}}', "Content-Length is set by the load itself"),
        ('{"headers": {"connection": "close"}}', "connection is set by the load itself"),
        ('{"status": 99}', "LAB_REQUEST: status: write one from 200 to 599"),
        ('{"status": "ok"}', "LAB_REQUEST: status: "),
        ('{"status": true}', "LAB_REQUEST: status: "),
        ('{"status": 200.5}', "LAB_REQUEST: status: "),
        ('{"content": 1}', "LAB_REQUEST: content: "),
        ('{"insecure": "yes"}', "LAB_REQUEST: insecure: write true or false"),
        ('{"headers": {"Cookie": "a", "Cookie": "b"}}', "LAB_REQUEST: 'Cookie' is there twice"),
        ('{"headers": "Cookie: a\\nCookie: b"}', "headers: 'Cookie' is there twice; write it once"),
        ('{"path": "/a", "path": "/b"}', "LAB_REQUEST: 'path' is there twice; write it once"),
    ],
)
def test_what_cannot_be_sent_is_told_with_its_field(text: str, told: str) -> None:
    with pytest.raises(OwnRequestError) as error:
        read(text)
    said = str(error.value)
    assert told in said
    assert len(said.splitlines()) == 1
    assert len(said) < 200


@pytest.mark.parametrize("headers", ["Cookie: a\nCookie: b", '{"Cookie": "a", "Cookie": "b"}'])
def test_the_form_leaves_no_header_out_silently(headers: str) -> None:
    with pytest.raises(OwnRequestError, match="Request headers: 'Cookie' is there twice"):
        own.from_form({"headers": headers}, Target("http://h/"))


@given(some.dictionaries(some.sampled_from(list(own.FIELDS)), some.text(max_size=30)))
def test_whatever_is_typed_is_sent_as_one_request_or_refused_in_one_line(
    fields: dict[str, str],
) -> None:
    said = ""
    try:
        request = own_request(own.from_form(fields, Target("http://h/")))
    except OwnRequestError as error:
        said = str(error)
    if said:
        assert len(said.splitlines()) == 1
        return
    head, _, body = request.data.partition(b"\r\n\r\n")
    assert body == fields.get("body", "").encode()
    assert len(head.split(b"\r\n")[0].split(b" ")) == 3
    assert b"\n" not in head.replace(b"\r\n", b"")
