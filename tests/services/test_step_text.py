"""What reaches Asterisk: nothing that a person or a caller wrote can become a command or dialplan."""

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.call.step import (
    CallBack,
    Cause,
    CheckVoicemail,
    Conference,
    Dial,
    Diversion,
    Diverted,
    Echo,
    ExternalNumber,
    Failover,
    Hangup,
    Listen,
    Play,
    Queue,
    Read,
    SetCall,
    Voicemail,
)
from services.asterisk_text import AgiError, step_text
from tests.tenants_for_tests import acme

HOME = PurePosixPath("/srv/x")
SOUNDS = {"welcome": "welcome-01"}
QUEUES = ("menus:", """queues:
  support: {members: ["201"], later: [{after_s: 10, members: ["202"]}], unanswered: main}
  first: {strategy: ordered, members: ["201"], unanswered: main}
menus:""")


@pytest.mark.parametrize(("step", "text"), [
    (Read(("welcome", "welcome"), 1, 5), "Read(DIGITS,/srv/x/sounds/acme/welcome-01&/srv/x/sounds/acme/welcome-01,1,e,1,5)"),
    (Read(("welcome",), 6, 5, ("2", "20"), ("welcome",)),
     "Gosub(digits,s,1(/srv/x/sounds/acme/welcome-01,5,3,-2-20-,/srv/x/sounds/acme/welcome-01))"),
    (Echo("welcome"), "Gosub(echo,s,1(/srv/x/sounds/acme/welcome-01))"),
    (Listen(("welcome",), 8, 5), "Gosub(listen,s,1(/srv/x/heard,/srv/x/sounds/acme/welcome-01,8,5))"),
    (Play(("welcome",)), "Playback(/srv/x/sounds/acme/welcome-01)"),
    (Play(("welcome",), early=True), "Gosub(early,s,1(/srv/x/sounds/acme/welcome-01))"),
    (Play(("welcome",), skippable=True), "Read(SKIPPED,/srv/x/sounds/acme/welcome-01,1,,1,0.01)"),
    (Dial(("acme-201-desk", "acme-202-desk"), 20), "Dial(PJSIP/acme-201-desk&PJSIP/acme-202-desk,20,gitT)"),
    (Dial((), 30, outside=(ExternalNumber("+48587000002", "acme-trunk-carrier"),), shown="", vouching="+48221234567"),
     "Dial(PJSIP/+48587000002@acme-trunk-carrier,30,gitTb(outside^+48587000002^1(^+48221234567^^^^+48587000002)))"),
    (Dial((), 30, outside=(ExternalNumber("+48587000002", "acme-trunk-carrier", payer="202"),), vouching="+48221234567",
          diversion=Diversion("+48221234568", Diverted.NO_ANSWER)),
     "Dial(PJSIP/+48587000002@acme-trunk-carrier,30,gitTb(outside^+48587000002^1(^+48221234567^^+48221234568^no-answer^+48587000002^202)))"),
    (Dial((), 30, outside=(ExternalNumber("+48799000002", "acme-trunk-carrier"),), vouching="+48221234567", own=True),
     "Dial(PJSIP/+48799000002@acme-trunk-carrier,30,gitTB(own_call^begins^1(acme^+48799000002))U(own_call^acme^+48799000002)"
     "b(outside^+48799000002^1(^+48221234567^^^^+48799000002)))"),
    (Dial((), 30, outside=(ExternalNumber("112", "acme-trunk-carrier"),), shown="+48221234568", vouching="+48221234568", hidden=True),
     "Dial(PJSIP/112@acme-trunk-carrier,30,gitTb(outside^112^1(+48221234568^+48221234568^hidden)))"),
    (Dial(("acme-201-desk",), 9, (ExternalNumber("+48587000002", "acme-trunk-carrier"),), "+48221234568", "+48221234567"),
     "Dial(PJSIP/acme-201-desk&PJSIP/+48587000002@acme-trunk-carrier,9,gitTb(outside^+48587000002^1(+48221234568^+48221234567^^^^+48587000002)))"),
    (Dial((), 30, outside=(ExternalNumber("+48600100200", "acme-trunk-carrier", 5, confirm=True, payer="201"),), vouching="+48221234567"),
     "Dial(Local/5-1-+48600100200--+48221234567-201-acme-trunk-carrier@acme-confirm/n,30,gitTb(outside^s^1(^+48221234567)))"),
    (Dial((), 9, (ExternalNumber("+48600100200", "acme-trunk-carrier"), ExternalNumber("+48600100201", "acme-trunk-carrier", payer="201"))),
     "Dial(Local/0-0-+48600100200----acme-trunk-carrier@acme-confirm/n&Local/0-0-+48600100201---201-acme-trunk-carrier@acme-confirm/n"
     ",9,gitTb(outside^s^1(^)))"),
    (SetCall("Sales: ", "it", "jazz"), "Gosub(set,s,1(Sales: ,it,acme-jazz))"),
    (Conference("room", 9, ("welcome",), waits=True, music="jazz"),
     "Gosub(conference,s,1(acme-room,member,9,yes,no,acme-jazz,/srv/x/sounds/acme/welcome-01))"),
    (SetCall("Sprzedaż: "), "Gosub(set,s,1(Sprzedaż: ,,))"),
    (Queue("support", (), 60, 5, ("1",), 2, "jazz"), "Gosub(queue,s,1(acme-support,cC,60,1,acme-support,,))"),
    (Queue("first", (), language="it", place=3), "Gosub(queue,s,1(acme-first-ordered,cCr,,1000,,it,3))"),
    (CallBack("support", 2, ExternalNumber("+48600100200", "acme-trunk-carrier"), 30, "+48221234567", *["welcome"] * 4, 2),
     "Gosub(call_back,s,1(acme,acme-support,2,+48600100200,acme-trunk-carrier,30,+48221234567,1,acme-support,"
     "/srv/x/sounds/acme/welcome-01,/srv/x/sounds/acme/welcome-01,/srv/x/sounds/acme/welcome-01,support,/srv/x/sounds/acme/welcome-01))"),
    (Voicemail("201"), "VoiceMail(201@acme,s)"),
    (CheckVoicemail("201"), "VoiceMailMain(201@acme,s)"),
    (Hangup(Cause.BUSY), "Hangup(17)"),
    (Failover(), "Goto(acme-failover,s,1)"),
])
def test_each_step_is_one_application(step, text) -> None:  # type: ignore[no-untyped-def]
    assert step_text(step, acme(QUEUES), SOUNDS, HOME) == text


@given(st.text(min_size=1).filter(lambda text: not re.fullmatch("[a-z0-9_-]+", text, re.ASCII)))
def test_endpoint_of_any_other_form_is_refused(name: str) -> None:
    with pytest.raises(AgiError):
        step_text(Dial((name,), 20), acme(), SOUNDS, HOME)


@given(st.text().filter(lambda text: not re.fullmatch(r"\+[0-9]{7,15}|[0-9]{2,6}", text, re.ASCII)))
def test_number_outside_of_any_other_form_is_refused(text: str) -> None:
    good = "+48587000002"
    for leg, shown, vouching in (
        (ExternalNumber(text, "acme-trunk-carrier"), good, good), (ExternalNumber(good, text + "!"), good, good),
        (ExternalNumber(good, "acme-trunk-carrier", payer=text + "!"), good, good),
        (ExternalNumber(good, "acme-trunk-carrier"), text or "x", good), (ExternalNumber(good, "acme-trunk-carrier"), good, text or "x"),
    ):
        with pytest.raises(AgiError):
            step_text(Dial((), 20, (leg,), shown, vouching), acme(), SOUNDS, HOME)
