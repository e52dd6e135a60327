"""Which changes of a tenant's dialplan Asterisk can take line by line, and which only by reading all tenants' again."""

import re
from dataclasses import replace

import pytest

from confgen.publish.dialplan_changes import Difference, difference, together
from confgen.render.dialplan import Context, DialplanExtension, DialplanLine, DialplanStep, load
from tests.confgen.test_templates import rendered
from tests.tenants_for_tests import acme

OLD = """[acme-failover]
exten => s,1,Dial(PJSIP/acme-201-desk,30,i)
 same => n,Hangup(20)
exten => 201,1,Dial(PJSIP/acme-201-desk,30,i)
 same => n,Hangup(20)

[acme-lamps]
exten => _20[12],hint,PJSIP/acme-${EXTEN}-desk
exten => *61,hint,Custom:acme-switch-mode
"""
NEW_EXTENSION = "exten => 204,1,Dial(PJSIP/acme-204-desk,20,i)\n same => n,Hangup(20)\n\n[acme-lamps]"
OLA = DialplanLine("acme-failover", "204", "1", "Dial", "PJSIP/acme-204-desk,20,i"), DialplanLine("acme-failover", "204", "2", "Hangup", "20")


def rows(text: str) -> list[Context]:
    """Of a text as plain as OLD."""
    found: list[Context] = []
    for line in text.splitlines():
        match = re.fullmatch(r"(?:exten => ([^,]+),(1|hint)| same => n),(?:(\w+)\((.*)\)|(.*))", line)
        if line.startswith("["):
            found.append(Context(line.strip("[]")))
        elif line.startswith("include => "):
            found[-1] = replace(found[-1], includes=(line.removeprefix("include => "),))
        elif match:
            pattern, priority, application, data, _ = match.groups()
            step = () if priority == "hint" else (DialplanStep(application, data),)
            before = found[-1].extensions
            if pattern:
                extensions = (*before, DialplanExtension(pattern, step, line.partition("hint,")[2]))
            else:
                extensions = (*before[:-1], replace(before[-1], steps=before[-1].steps + step))
            found[-1] = replace(found[-1], extensions=extensions)
    return found


def changed(was: str, now: str) -> Difference | None:
    assert was in OLD
    return difference(rows(OLD), rows(OLD.replace(was, now)))


def test_new_user_is_lines_more_and_a_hint_that_has_one_number_more() -> None:
    users = ("users:\n", 'users:\n  "204": {name: Nowy, devices: [desk], voicemail: false}\n')
    old, new = (load(rendered(each)["extensions/acme.json"]) for each in (acme(), acme(users)))
    found = difference(old, new)
    assert found
    assert DialplanLine("acme-elsewhere", "204", "1", "Dial", "PJSIP/acme-204-desk,30,itT") in found.lines
    assert [line for line in found.lines if line.context == "acme-failover"] == [
        DialplanLine("acme-failover", "204", "1", "Dial", "PJSIP/acme-204-desk,20,i"),
        DialplanLine("acme-failover", "204", "2", "Playback", "/srv/x/sounds/acme/sys_unavailable-0"),
        DialplanLine("acme-failover", "204", "3", "Hangup", "20")]
    assert DialplanLine("acme-lamps", "_20[1234]", "hint", "PJSIP/acme-${EXTEN}-desk") in found.lines
    assert found.gone == (DialplanLine("acme-lamps", "_20[123]", "hint", "PJSIP/acme-${EXTEN}-desk"),)
    assert found.watched == ()
    back = difference(new, old)
    assert back
    assert set(back.gone) == set(found.lines)
    assert back.lines == found.gone
    assert back.watched == (DialplanLine("acme-lamps", "204", "hint", ""),)


def test_device_that_goes_is_other_steps_and_another_hint_of_a_number_that_is_watched() -> None:
    two = acme(('"203": {name: Zofia, devices: [desk]', '"203": {name: Zofia, devices: [desk, soft]'))
    found = difference(*(load(rendered(each)["extensions/acme.json"]) for each in (two, acme())))
    assert found
    assert DialplanLine("acme-elsewhere", "203", "1", "Dial", "PJSIP/acme-203-desk,30,itT") in found.lines
    assert DialplanLine("acme-elsewhere", "203_soft", "1", "Dial", "PJSIP/acme-203-desk,30,itT") in found.gone
    assert found.watched == (DialplanLine("acme-lamps", "203", "hint", "PJSIP/acme-${EXTEN}-desk"),)


def test_nothing_else_is_no_difference() -> None:
    assert changed("[acme-failover]", "[acme-failover]") == Difference((), (), ())


@pytest.mark.parametrize(("was", "now", "lines", "gone"), [
    ("201,1,Dial(PJSIP/acme-201-desk,30", "201,1,Dial(PJSIP/acme-201-desk,45",
     [DialplanLine("acme-failover", "201", "1", "Dial", "PJSIP/acme-201-desk,45,i")], []),
    ("exten => 201,1,Dial(PJSIP/acme-201-desk,30,i)\n same => n,Hangup(20)\n", "", [],
     [DialplanLine("acme-failover", "201", "1", "Dial", "PJSIP/acme-201-desk,30,i"), DialplanLine("acme-failover", "201", "2", "Hangup", "20")]),
    (" same => n,Hangup(20)\nexten => 201", "exten => 201", [], [DialplanLine("acme-failover", "s", "2", "Hangup", "20")]),
    (" same => n,Hangup(20)\nexten => 201", " same => n,NoOp()\n same => n,Hangup(20)\nexten => 201",
     [DialplanLine("acme-failover", "s", "2", "NoOp"), DialplanLine("acme-failover", "s", "3", "Hangup", "20")], []),
    ("exten => *61,hint,Custom:acme-switch-mode\n", "", [], [DialplanLine("acme-lamps", "*61", "hint", "Custom:acme-switch-mode")]),
    ("[acme-lamps]", NEW_EXTENSION, [*OLA], []),
])
def test_steps_are_put_in_their_places_and_those_that_are_left_over_go(
    was: str, now: str, lines: list[DialplanLine], gone: list[DialplanLine],
) -> None:
    assert changed(was, now) == Difference(tuple(lines), tuple(gone), ())


@pytest.mark.parametrize(("now", "watched"), [
    ("_20[23],hint,PJSIP/acme-${EXTEN}-desk", {"201": ""}),
    ("_20[12],hint,PJSIP/acme-${EXTEN}-soft", {"201": "PJSIP/acme-${EXTEN}-soft", "202": "PJSIP/acme-${EXTEN}-soft"}),
    ("_20[1],hint,PJSIP/acme-${EXTEN}-soft\nexten => _20[2],hint,PJSIP/acme-${EXTEN}-desk", {"201": "PJSIP/acme-${EXTEN}-soft"}),
])
def test_hint_of_a_single_number_is_what_the_pattern_of_that_number_now_says(now: str, watched: dict[str, str]) -> None:
    found = changed("_20[12],hint,PJSIP/acme-${EXTEN}-desk", now)
    assert found
    assert found.watched == tuple(DialplanLine("acme-lamps", number, "hint", devices) for number, devices in watched.items())


@pytest.mark.parametrize(("was", "now"), [
    ("[acme-lamps]", NEW_EXTENSION.replace("20)", '"20")')),                    # read otherwise in a file than over AMI
    ("[acme-lamps]", NEW_EXTENSION.replace("20)", "20;)")),
    ("[acme-lamps]", NEW_EXTENSION.replace("PJSIP/acme-204-desk", "&".join(f"PJSIP/acme-204-d{i}" for i in range(60)))),    # too long
    ("[acme-lamps]", "[acme-new]\nexten => 204,1,Hangup(20)\n\n[acme-lamps]"),
    ("[acme-lamps]", "[acme-lamps]\ninclude => acme-phone"),
])
def test_what_asterisk_takes_only_from_a_file_is_no_difference_by_lines(was: str, now: str) -> None:
    assert changed(was, now) is None
    assert difference(rows(OLD.replace(was, now)), rows(OLD)) is None


def test_line_that_goes_from_one_file_to_another_stays() -> None:
    def called(tenant: str, *numbers: str) -> list[Context]:
        return [Context("carriers", tuple(DialplanExtension(number, (DialplanStep("Goto", f"{tenant}-carrier,1"),)) for number in numbers))]

    leaves = difference(called("acme", "481", "482"), called("acme", "481"))
    comes = difference(called("rossi", "483"), called("rossi", "483", "482"))
    assert leaves
    assert comes
    for both in ((leaves, comes), (comes, leaves)):
        assert together(both) == Difference((DialplanLine("carriers", "482", "1", "Goto", "rossi-carrier,1"),), (), ())


def test_change_of_a_sound_that_the_shared_contexts_play_is_one_line() -> None:
    said = ("prompts:\n", "prompts:\n  sys_transfer_to: {text: Do kogo}\n")
    old, new = (load(rendered(each)["extensions/acme.json"].replace("sys_transfer_to-0", f"sys_transfer_to-{i}"))
                for i, each in enumerate((acme(), acme(said))))
    found = difference(old, new)
    assert found
    assert [(line.context, line.extension, line.priority) for line in found.lines] == [("acme-own", "s", "1")]
    assert found.gone == found.watched == ()
