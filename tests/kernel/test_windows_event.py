"""One Windows event in every JSON shape gives the same WindowsEvent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import evtx
import pytest

from kernel.windows_event import WindowsEvent, read_windows_event, windows_fields

DATA = {"NewProcessName": "C:\\Windows\\cmd.exe", "CommandLine": "", "TokenElevationType": "%%1936"}
TIME = "2021-12-07T17:33:01.680005Z"

TREE = {
    "Event": {
        "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
        "System": {
            "Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing", "Guid": "x"}},
            "EventID": 4688,
            "Level": 0,
            "TimeCreated": {"#attributes": {"SystemTime": TIME}},
            "EventRecordID": 42,
            "Channel": "Security",
            "Computer": "HOST1",
        },
        "EventData": dict(DATA, CommandLine=None),
    }
}
TREE_APART = {
    "Event": {
        "System": {
            "Provider_attributes": {"Name": "Microsoft-Windows-Security-Auditing"},
            "EventID": {"#text": 4688, "#attributes": {"Qualifiers": 0}},
            "TimeCreated_attributes": {"SystemTime": TIME},
            "EventRecordID": "42",
            "Channel": "Security",
            "Computer": "HOST1",
        },
        "EventData": DATA,
    }
}
TREE_NAMED = {
    "Event": {
        "System": {
            "Provider": {"@Name": "Microsoft-Windows-Security-Auditing"},
            "EventID": "4688",
            "TimeCreated": {"@SystemTime": TIME},
            "EventRecordID": "42",
            "Channel": "Security",
            "Computer": "HOST1",
        },
        "EventData": {"Data": [{"@Name": name, "#text": value} for name, value in DATA.items()]},
    }
}
WINLOGBEAT = {
    "@timestamp": TIME,
    "winlog": {
        "channel": "Security",
        "event_id": "4688",
        "provider_name": "Microsoft-Windows-Security-Auditing",
        "computer_name": "HOST1",
        "record_id": 42,
        "event_data": DATA,
    },
}
DOTTED = {
    "@timestamp": TIME,
    "winlog.channel": "Security",
    "winlog.event_id": 4688,
    "winlog.provider_name": "Microsoft-Windows-Security-Auditing",
    "winlog.computer_name": "HOST1",
    "winlog.record_id": 42,
    **{f"winlog.event_data.{name}": value for name, value in DATA.items()},
}
OLD = {
    "@timestamp": TIME,
    "log_name": "Security",
    "event_id": 4688,
    "source_name": "Microsoft-Windows-Security-Auditing",
    "computer_name": "HOST1",
    "record_number": "42",
    "event_data": DATA,
}
NXLOG = {
    "Channel": "Security",
    "EventID": 4688,
    "SourceName": "Microsoft-Windows-Security-Auditing",
    "Hostname": "HOST1",
    "RecordNumber": 42,
    "@timestamp": TIME,
    "EventTime": "2021-12-07 09:33:01",
    "@version": "1",
    **DATA,
}
ZIRCOLITE = {
    "Channel": "Security",
    "EventID": 4688,
    "Provider_Name": "Microsoft-Windows-Security-Auditing",
    "Computer": "HOST1",
    "EventRecordID": 42,
    "SystemTime": TIME,
    **DATA,
}


@pytest.mark.parametrize(
    "shape",
    [TREE, TREE_APART, TREE_NAMED, WINLOGBEAT, DOTTED, OLD, NXLOG, ZIRCOLITE, {"_index": "x", "_source": WINLOGBEAT}],
    ids=["tree", "apart", "named", "winlogbeat", "dotted", "old", "nxlog", "zircolite", "exported"],
)
def test_every_shape_gives_the_same_event(shape: dict[str, Any]) -> None:
    event = read_windows_event(shape)
    assert event is not None
    assert (event.channel, event.event_id, event.provider) == ("Security", 4688, "Microsoft-Windows-Security-Auditing")
    assert (event.computer, event.record_id, event.time, event.data) == ("HOST1", 42, TIME, DATA)


@pytest.mark.parametrize(
    "other", [{}, {"Event": "x"}, {"EventID": 1}, {"eventName": "RunInstances"}, {"Channel": "x", "EventID": "one"}, {"winlog": {}}]
)
def test_what_is_no_windows_event(other: dict[str, Any]) -> None:
    assert read_windows_event(other) is None


def _tree(**event_data: Any) -> WindowsEvent:
    event = read_windows_event({"Event": {"System": {"Channel": "X", "EventID": 1}, **event_data}})
    assert event is not None
    return event


def test_unnamed_data_is_a_list() -> None:
    assert _tree(EventData={"Data": {"#text": ["root", "[CLIENT]"]}, "Binary": None}).data == {
        "Data": ["root", "[CLIENT]"],
        "Binary": "",
    }


def test_user_data_loses_its_template_name() -> None:
    user_data = {"LogFileCleared": {"#attributes": {"xmlns": "x"}, "SubjectUserName": "eve"}}
    assert _tree(UserData=user_data).data == {"SubjectUserName": "eve"}


def test_names_lose_their_spaces() -> None:
    assert _tree(EventData={"Threat Name": "EICAR"}).data == {"ThreatName": "EICAR"}


def test_time_of_windows_powershell() -> None:
    event = read_windows_event({"Channel": "X", "EventID": 1, "TimeCreated": "/Date(1600000000000)/"})
    assert event is not None
    assert event.time == "2020-09-13T12:26:40.000000Z"


def test_ecs_part_of_the_event() -> None:
    event = read_windows_event(TREE)
    assert event is not None
    assert windows_fields(event) == {
        "@timestamp": TIME,
        "event.code": "4688",
        "winlog.channel": "Security",
        "winlog.event_id": "4688",
        "winlog.provider_name": "Microsoft-Windows-Security-Auditing",
        "winlog.computer_name": "HOST1",
        "winlog.record_id": 42,
        "winlog.level": "0",
        **{f"winlog.event_data.{name}": value for name, value in DATA.items()},
    }


def test_every_record_of_the_evtx_corpus_is_read(shared: Path) -> None:
    count = 0
    for path in sorted((shared / "corpora/evtx").glob("*.evtx")):
        for record in evtx.PyEvtxParser(str(path)).records_json():
            event = read_windows_event(json.loads(record["data"]))
            assert event is not None, record["data"]
            assert event.time
            assert event.event_id > 0
            assert all(isinstance(value, (str, int, float, list)) for value in event.data.values())
            count += 1
    assert count > 2_000
