"""Which changes of a tenant's dialplan Asterisk can take line by line, and which only by reading all tenants' again."""

import pytest

from confgen.dialplan import Line, More, more
from tests.confgen.test_templates import rendered
from tests.tenants_for_tests import acme

OLD = """; Comment.

[acme-failover]
exten => s,1,Dial(PJSIP/acme-201-desk,30,i)
 same => n,Hangup(20)
exten => 201,1,Dial(PJSIP/acme-201-desk,30,i)
 same => n,Hangup(20)

[acme-lamps]
exten => _20[12],hint,PJSIP/acme-${EXTEN}-desk
exten => *61,hint,Custom:acme-switch-mode
"""
NEW_EXTENSION = "exten => 204,1,Dial(PJSIP/acme-204-desk,20,i)\n same => n,Hangup(20)\n\n[acme-lamps]"


def test_new_user_is_lines_more_and_a_hint_that_has_one_number_more() -> None:
    users = ("users:\n", 'users:\n  "204": {name: Nowy, devices: [desk], voicemail: false}\n')
    old, new = (rendered(each)["extensions/acme.conf"] for each in (acme(), acme(users)))
    found = more(old, new)
    assert found
    assert Line("acme-elsewhere", "204", "1", "Dial", "PJSIP/acme-204-desk,30,itT") in found.lines
    assert [line for line in found.lines if line.context == "acme-failover"] == [
        Line("acme-failover", "204", "1", "Dial", "PJSIP/acme-204-desk,20,i"),
        Line("acme-failover", "204", "2", "Playback", "/srv/x/sounds/acme/sys_unavailable-0"),
        Line("acme-failover", "204", "3", "Hangup", "20")]
    assert Line("acme-lamps", "_20[1234]", "hint", "PJSIP/acme-${EXTEN}-desk") in found.lines
    assert found.replaced == (Line("acme-lamps", "_20[123]", "hint", "PJSIP/acme-${EXTEN}-desk"),)
    assert more(new, old) is None


def test_nothing_else_is_nothing_more() -> None:
    assert more(OLD, OLD.replace("; Comment.", "; Another.")) == More((), ())


@pytest.mark.parametrize(("was", "now"), [
    ("acme-201-desk,30", "acme-201-desk,45"),                                   # another step
    ("exten => 201,1,Dial(PJSIP/acme-201-desk,30,i)\n same => n,Hangup(20)\n", ""),
    (" same => n,Hangup(20)\nexten => 201", "exten => 201"),
    (" same => n,Hangup(20)\nexten => 201", " same => n,Hangup(20)\n same => n,NoOp()\nexten => 201"),
    ("_20[12]", "_20[23]"), ("_20[12]", "_21[12]"), ("_20[12],hint,PJSIP/acme-${EXTEN}-desk", "_20[123],hint,PJSIP/acme-${EXTEN}-soft"),
    ("exten => *61,hint,Custom:acme-switch-mode\n", ""),
    ("[acme-lamps]", NEW_EXTENSION.replace("20)", '"20")')),                    # read otherwise in a file than over AMI
    ("[acme-lamps]", NEW_EXTENSION.replace("20)", "20;)")),
    ("[acme-lamps]", NEW_EXTENSION.replace("n,Hang", "n(end),Hang")),
    ("[acme-lamps]", NEW_EXTENSION.replace("n,Hangup(20)", "n,Hangup")),
    ("[acme-lamps]", "[acme-new]\nexten => 204,1,Hangup(20)\n\n[acme-lamps]"),
    ("[acme-lamps]", "[acme-lamps]\ninclude => acme-phone"),
])
def test_change_that_is_more_than_an_addition_is_no_addition(was: str, now: str) -> None:
    assert was in OLD
    assert more(OLD, OLD.replace(was, now)) is None


def test_extension_that_only_comes_is_added() -> None:
    found = more(OLD, OLD.replace("[acme-lamps]", NEW_EXTENSION))
    assert found == More((
        Line("acme-failover", "204", "1", "Dial", "PJSIP/acme-204-desk,20,i"), Line("acme-failover", "204", "2", "Hangup", "20")), ())
