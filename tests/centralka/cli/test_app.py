"""The command line as a person uses it: words, exit codes, and nothing lost by a wrong input."""

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from centralka.cli.app import app
from centralka.cli.commands import LISTED
from simulator.scenario import Expect, Given, Scenario
from simulator.scenario_grammar import NOTHING, PhoneDoes
from tests.command_line import centralka, installed
from tests.tenants_for_tests import ACME, ROSSI, changed

REPOSITORY = Path(__file__).parents[3]


def test_every_command_is_listed_with_what_it_does(tmp_path: Path) -> None:
    done = installed(tmp_path, "--help")
    assert done.returncode == 0
    shown = done.stdout
    assert all(re.search(rf"^│ {command} +[A-Z]", shown, re.MULTILINE) for command in LISTED)
    assert {"README.md", "tutorial.md"} <= set(re.findall(r"[A-Za-z-]+\.md", shown))


def test_index_lists_every_document() -> None:
    index = (REPOSITORY / "docs" / "README.md").read_text()
    assert {path.name for path in (REPOSITORY / "docs").glob("*.md")} - {"README.md"} <= set(re.findall(r"\]\(([a-z-]+\.md)\)", index))


def test_every_example_of_the_help_names_its_command_and_options_that_there_are() -> None:
    group = get_command(app)
    context = group.make_context("centralka", ["check"])
    for command, listed in LISTED.items():
        found = group.get_command(context, command)
        assert all(example in found.epilog for example in listed.examples)
        options = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for example in listed.examples:
            assert command in example.split()
            assert set(re.findall(r"(?<= )--?[a-z][a-z-]*", example)) <= options | {"-n", "--home"}, example


WRONGLY_TYPED = [
    (), ("nosuch",), ("check", "--foo"), ("simulate",), ("simulate", "acme", "300", "--at", "noon"), ("calls", "acme", "--last", "0"),
    ("render", "--out")]


@pytest.mark.parametrize("arguments", WRONGLY_TYPED)
def test_what_is_typed_wrongly_ends_with_1(home: Path, arguments: tuple[str, ...]) -> None:
    done = centralka(home, *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


TENANTS_OWN = ("simulate", "graph", "queue", "switch", "user", "release", "phones", "rotate", "pin", "mobile-pins")


@pytest.mark.parametrize("command", TENANTS_OWN)
def test_command_about_a_tenant_that_does_not_exist_ends_with_1(published: Path, command: str) -> None:
    arguments = {"simulate": ["201"], "user": ["201"], "rotate": ["201-desk"]}.get(command, [])
    done = centralka(published, command, "nobody", *arguments, said="1234\n")
    assert (done.returncode, "nobody" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


ASK_THE_SYSTEM = [
    ("status",), ("calls", "acme"), ("explain", "1.1"), ("queue", "acme"), ("switch", "acme"), ("user", "acme", "201"),
    ("release", "acme"), ("rotate", "acme", "201-desk"), ("render", "--out", "/dev/null/files")]


@pytest.mark.parametrize("arguments", ASK_THE_SYSTEM)
def test_command_that_the_system_does_not_answer_ends_with_2(published: Path, arguments: tuple[str, ...]) -> None:
    done = centralka(published, *arguments)
    assert (done.returncode, bool(done.stderr or done.stdout), "Traceback" in done.stderr) == (2, True, False)


@pytest.mark.parametrize("of", ["tenant", "scenarios", "platform"])
def test_published_schema_is_the_current_one(tmp_path: Path, of: str) -> None:
    shown = centralka(tmp_path, "schema", of)
    assert shown.returncode == 0
    assert (REPOSITORY / "docs" / f"{of}.schema.json").read_text() == shown.stdout, f"centralka schema {of} > docs/{of}.schema.json"


def test_every_word_of_scenarios_is_in_their_document() -> None:
    document = (REPOSITORY / "docs" / "scenarios.md").read_text()
    fields = [field for model in (Scenario, Given, Expect) for field in model.model_fields]
    assert not [word for word in [*fields, *PhoneDoes, NOTHING] if word not in document]


def test_demo_tenants_are_good(tmp_path: Path) -> None:
    done = installed(tmp_path, "check", str(REPOSITORY / "tenants"))
    assert (done.returncode, done.stdout) == (0, "2 tenants: good\n")


def test_check_tells_every_mistake_and_ends_with_1(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(changed(('"2": service', '"2": servic'), ("prompt: welcome", "prompt: hi")))
    done = centralka(home, "check", str(file))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{file}:14 menus.main.prompt: no prompt named 'hi'",
        f"{file}:15 menus.main.keys.2: no element named 'servic' (did you mean 'service'?)",
    ]


@pytest.mark.parametrize("arguments", [
    ("check", "no-such-file.yaml"), ("check", "/dev/null"), ("simulate", "nobody", "1"), ("rollback",),
    ("simulate", "acme", "1", "--state", "asleep:201"), ("plan", "/nowhere")])
def test_wrong_input_ends_with_1_and_words_without_a_traceback(home: Path, arguments: tuple[str, ...]) -> None:
    done = centralka(home, *arguments)
    assert done.returncode == 1
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_plan_apply_and_rollback_without_asterisk(home: Path, tmp_path: Path) -> None:
    tenants = tmp_path / "tenants" / "acme.yaml"
    assert "no Asterisk runs here" in " ".join(centralka(home, "apply").stdout.split())
    tenants.write_text(changed(('"3": "203"', '"3": "202"')))
    planned = json.loads(centralka(home, "plan", "--json").stdout)
    assert (planned["changed"], planned["numbers"]) == (["tenants/acme.json"], {"acme": ["+48221234567"]})
    assert planned["ends"]["acme"]["changes"][0] == {
        "number": "+48221234567", "when": "", "caller": "", "keys": "key 3", "state": "", "before": "answered by 203", "after": "answered by 202"}
    assert "+48221234567, key 3: answered by 203 -> answered by 202\n" in centralka(home, "plan").stdout
    assert centralka(home, "apply").returncode == 0
    assert centralka(home, "plan").stdout == "nothing would change\n"
    undone = centralka(home, "rollback").stdout.splitlines()
    assert undone[:2] == [
        "acme: as before, with today's passwords and PINs", "acme: calls to +48221234567 are handled as before"]
    assert json.loads(centralka(home, "plan", "--json").stdout) == planned


def test_carriers_come_change_and_go_with_the_platforms_file_alone(home: Path, tmp_path: Path) -> None:
    platform, published = tmp_path / "tenants" / "platform.yaml", home / "published" / "current" / "pjsip" / "platform.conf"
    assert centralka(home, "apply").returncode == 0
    assert not published.exists()
    platform.write_text("carriers: {telco: {kind: address, address: 192.0.2.7}}\n")
    assert "changes pjsip/platform.conf" in centralka(home, "plan").stdout
    assert centralka(home, "apply").returncode == 0
    assert "match = 192.0.2.7\n" in published.read_text()
    platform.write_text("carriers: {telco: {kind: address, address: 192.0.2.8}}\n")
    assert centralka(home, "apply").returncode == 0
    assert "match = 192.0.2.8\n" in published.read_text()
    (tmp_path / "tenants" / "acme.yaml").write_text(ACME + "routes: [{classes: [mobile], trunks: [telco]}]\n")
    assert centralka(home, "apply").returncode == 0
    assert "match = 192.0.2.8\n" in published.read_text()
    platform.write_text("brake: null\n")
    refused = centralka(home, "apply")
    assert (refused.returncode, "routes.#1.trunks.#1: no trunk named 'telco'" in refused.stderr) == (1, True)
    (tmp_path / "tenants" / "acme.yaml").write_text(ACME)
    assert centralka(home, "apply").returncode == 0
    assert not published.exists()
    assert centralka(home, "rollback").returncode == 0
    assert "match = 192.0.2.8\n" in published.read_text()


def test_carrier_that_registers_asks_for_its_password(home: Path, tmp_path: Path) -> None:
    (tmp_path / "tenants" / "platform.yaml").write_text("carriers: {voice: {kind: registration, server: sip.example.org, user: pbx}}\n")
    refused = " ".join(centralka(home, "apply").stderr.split())
    assert "carriers.voice: no password is kept for it; give it with: centralka secret platform-trunk-voice" in refused
    assert centralka(home, "secret", "platform-trunk-voice", said="pw 1").returncode == 0
    assert centralka(home, "apply").returncode == 0
    assert "password = pw 1\n" in (home / "published" / "current" / "pjsip" / "platform.conf").read_text()


def test_what_if_of_a_file_that_lies_elsewhere_has_the_carriers_of_the_published_one(home: Path, tmp_path: Path) -> None:
    (tmp_path / "tenants" / "platform.yaml").write_text("carriers: {telco: {kind: address, address: 192.0.2.7}}\n")
    external = 'externals: {branch: {number: "+48587000011", unanswered: mail, busy: mail}}\n'
    (tmp_path / "tenants" / "acme.yaml").write_text(ACME + external)
    assert centralka(home, "apply").returncode == 0
    (tmp_path / "edited.yaml").write_text(ACME.replace('"3": "203"', '"3": branch') + external)
    done = centralka(home, "simulate", "acme", "--what-if", str(tmp_path / "edited.yaml"))
    assert "key 3: answered by 203 -> " in done.stdout, done.stderr


def test_refused_apply_leaves_what_was_published(home: Path, tmp_path: Path) -> None:
    centralka(home, "apply")
    before = (home / "published" / "current").readlink()
    (tmp_path / "tenants" / "acme.yaml").write_text(changed(("prompt: welcome", "prompt: hi")))
    assert centralka(home, "apply").returncode == 1
    assert (home / "published" / "current").readlink() == before


def test_simulate_tells_the_path_and_the_end(home: Path) -> None:
    done = centralka(home, "simulate", "acme", "+48221234567", "--keys", "2", "--state", "busy:202", "--json")
    result = json.loads(done.stdout)
    assert result["outcome"] == "answered by 201"
    assert [visit["node"] for visit in result["path"]] == ["start", "main", "main", "service", "service"]


@pytest.mark.parametrize("command", [("simulate", "acne", "201"), ("graph", "acne")])
def test_tenant_that_is_not_there_is_told_with_where_it_was_looked_for_and_what_is_alike(
    home: Path, tmp_path: Path, command: tuple[str, ...],
) -> None:
    done = centralka(home, *command)
    assert (done.returncode, done.stderr) == (
        1, f"no tenant 'acne' in {tmp_path / 'tenants'}, expected one of acme (did you mean 'acme'?)\n")


def test_graph_goes_to_standard_output_or_into_a_file(home: Path, tmp_path: Path) -> None:
    shown = centralka(home, "graph", "acme")
    assert (shown.returncode, shown.stdout.startswith("<?xml"), ">key 2<" in shown.stdout) == (0, True, True)
    assert centralka(home, "graph", "acme", "-o", str(tmp_path / "flow.svg")).stdout == ""
    assert (tmp_path / "flow.svg").read_text() == shown.stdout


def test_simulate_draws_the_path_and_says_it_too(home: Path, tmp_path: Path) -> None:
    done = centralka(home, "simulate", "acme", "+48221234567", "--keys", "2", "--picture", str(tmp_path / "path.dot"))
    assert (done.returncode, "ends: answered by 202" in done.stdout) == (0, True)
    assert "3. key 2, on to service" in (tmp_path / "path.dot").read_text()


def test_what_if_compares_the_published_tenant_with_the_edited_file(home: Path, tmp_path: Path) -> None:
    edited = tmp_path / "edited.yaml"
    edited.write_text(changed(('"3": "203"', '"3": "202"'), ('{extension: "300", ', "{")))
    assert "not published" in centralka(home, "simulate", "acme", "--what-if", str(edited)).stderr
    centralka(home, "apply")
    told = centralka(home, "simulate", "acme", "--what-if", str(edited))
    assert told.returncode == 0
    assert {"300: is gone", "+48221234567, key 3: answered by 203 -> answered by 202"} <= set(told.stdout.splitlines())
    assert centralka(home, "simulate", "acme", "300", "--what-if", str(edited)).stdout == "300: is gone\n"
    assert json.loads(centralka(home, "simulate", "acme", "--what-if", str(edited), "--json").stdout)["gone"] == ["300"]
    files = str(tmp_path / "tenants")
    assert centralka(home, "simulate", "acme", "--tenants", files, "--what-if", str(edited)).stdout == told.stdout
    for arguments in (("acme",), ("acme", "999", "--what-if", str(edited)), ("acme", "--what-if", str(edited), "--keys", "1"),
                      ("rossi", "--what-if", str(edited))):
        done = centralka(home, "simulate", *arguments)
        assert (done.returncode, bool(done.stderr), done.stdout) == (1, True, "")


@pytest.mark.parametrize(("file", "code"), [("flow.jpg", 1), ("no/such/folder/flow.dot", 2), ("no/such/folder/flow.svg", 2)])
def test_picture_that_cannot_be_written_says_whose_turn_it_is(home: Path, tmp_path: Path, file: str, code: int) -> None:
    done = centralka(home, "graph", "acme", "-o", str(tmp_path / file))
    assert (done.returncode, file.partition("/")[0] in done.stderr, "Traceback" in done.stderr) == (code, True, False)


def test_secrets_are_generated_private_and_kept(home: Path) -> None:
    centralka(home, "apply")
    first = (home / "secrets.json").read_text()
    assert (home / "secrets.json").stat().st_mode & 0o077 == 0
    centralka(home, "apply")
    centralka(home, "init")
    assert (home / "secrets.json").read_text() == first


def test_command_for_an_instance_that_was_never_made_says_so(tmp_path: Path) -> None:
    for command in ("apply", "rollback", "accounts", "status"):
        done = centralka(tmp_path / "nowhere", command)
        assert (done.returncode, done.stderr.splitlines()[0].startswith("there is no instance in")) == (1, True)
        assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("password", ["", "a;b", "a\\b", "zażółć", "a\tb"])
def test_password_that_asterisks_files_cannot_hold_is_refused(home: Path, password: str) -> None:
    done = centralka(home, "secret", "acme-trunk-x", said=f"{password}\n")
    assert done.returncode == 1
    assert '"acme-trunk-x"' not in (home / "secrets.json").read_text()


def test_secret_and_pin_say_what_is_kept_and_that_it_needs_an_apply(home: Path) -> None:
    centralka(home, "apply")
    for command, said, words in (
            (("secret", "acme-trunk-x"), "pass word", "the password of acme-trunk-x is kept"),
            (("pin", "acme", "201"), "4821", "the PIN of acme 201 is kept"),
            (("pin", "acme", "201", "--remove"), "", "the PIN of acme 201 is gone"),
            (("pin", "acme"), "4821", "the PIN of all of acme who have none of their own is kept")):
        done = centralka(home, *command, said=f"{said}\n")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(words)
        assert done.stdout.endswith("after the next apply: centralka apply\n")
        assert said not in done.stdout or not said
    assert centralka(home, "pin", "acme", "201", "--remove").stdout == "the PIN of acme 201 was not kept; nothing has changed\n"


def test_status_of_an_instance_that_does_not_run_says_so(home: Path) -> None:
    done = centralka(home, "status")
    assert done.returncode == 2
    assert "wrong:" in done.stdout


SCENARIO = """\
at: 2026-11-25 10:00
scenarios:
  - title: The caller presses one
    call: {from: "+48600100200", to: "+48221234567"}
    phones: {"201": answers}
    caller: [presses 1]
    expect:
      ends: answered by 201
      path: [main, sales]
"""


def test_scenario_that_fails_is_told_with_its_line_and_nothing_is_published(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "tenants" / "acme.scenarios.yaml"
    file.write_text(SCENARIO)
    good = centralka(home, "check", "--scenarios")
    assert (good.returncode, good.stdout) == (0, "1 tenant: good, 1 scenario went as expected\n")
    file.write_text(SCENARIO.replace("by 201", "by 202"))
    for command in (("check", "--scenarios"), ("apply",)):
        done = centralka(home, *command)
        assert done.returncode == 1
        assert done.stderr.startswith(
            f"{file}:8 scenarios.#1.expect.ends: 'The caller presses one': found answered by 201, expected answered by 202")
    assert not (home / "published" / "current").exists()
    assert centralka(home, "apply", "--despite-scenarios").returncode == 0


def test_plan_tells_which_scenarios_would_break_with_the_words_and_the_exit_code_of_apply(home: Path, tmp_path: Path) -> None:
    (tmp_path / "tenants" / "acme.scenarios.yaml").write_text(SCENARIO)
    assert centralka(home, "apply").returncode == 0
    (tmp_path / "tenants" / "acme.yaml").write_text(changed(('"3": "203"', '"3": "202"')))
    good = centralka(home, "plan")
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "1 scenario would go as expected")
    (tmp_path / "tenants" / "acme.yaml").write_text(changed(('"1": sales', '"1": "203"')))
    refused, planned, told = centralka(home, "apply"), centralka(home, "plan"), centralka(home, "plan", "--json")
    assert (refused.returncode, planned.returncode, told.returncode) == (1, 1, 1)
    assert "'The caller presses one'" in refused.stderr
    assert planned.stderr == told.stderr == refused.stderr
    assert "+48221234567, key 1: " in planned.stdout
    assert json.loads(told.stdout)["broken_scenarios"] == refused.stderr.splitlines()
    assert centralka(home, "plan", "--despite-scenarios").returncode == 0


def test_plan_and_apply_refuse_a_published_tenant_without_a_file_unless_it_is_meant(home: Path, tmp_path: Path) -> None:
    (tmp_path / "tenants" / "rossi.yaml").write_text(ROSSI)
    assert centralka(home, "apply").stdout.endswith(" files of acme, rossi; no Asterisk runs here, it will read them when it starts\n")
    (tmp_path / "tenants" / "rossi.yaml").unlink()
    for command in ("plan", "apply"):
        done = centralka(home, command)
        assert (done.returncode, "--remove rossi" in done.stdout + done.stderr) == (1, True)
    assert centralka(home, "plan", "--remove", "rossi").returncode == 0
    assert " files of rossi; " in centralka(home, "apply", "--remove", "rossi").stdout
    assert " files of rossi; " in centralka(home, "rollback").stdout


def test_scenario_file_with_mistakes_tells_each_with_its_line(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "tenants" / "acme.scenarios.yaml"
    file.write_text(SCENARIO.replace('"201": answers', '"209": answers').replace("[main, sales]", "[main, sals]"))
    assert centralka(home, "check", "--scenarios").stderr.splitlines() == [
        f"{file}:5 scenarios.#1.phones.209: no user with extension '209'",
        f"{file}:9 scenarios.#1.expect.path.#2: no element or user 'sals'",
    ]
    file.write_text(SCENARIO.replace("presses 1", "press one"))
    assert "found 'press one', expected presses 1, presses nothing, says Kowalska, or hangs up in main" in centralka(
        home, "check", "--scenarios").stderr
@pytest.mark.parametrize(("arguments", "words"), [
    (("switch", "nobody"), "not published"), (("switch", "acme", "dusk"), "no switch 'dusk'"),
    (("switch", "acme", "night", "dawn"), "no position 'dawn', expected one of auto, day, night"),
    (("user", "acme", "209"), "no user '209'"), (("user", "acme", "201", "--logout", "service2"), "201 is in no group or queue 'service2'"),
    (("user", "acme", "201", "--forward", "busy=209"), "found the target '209'"),
    (("user", "acme", "201", "--forward", "busy"), "found the forward 'busy', expected its kind, = and where to"),
    (("user", "acme", "201", "--forward", "often=202"), "found the kind of forwarding 'often'"),
    (("user", "acme", "201", "--no-forward", "often"), "found the kind of forwarding 'often'"),
    (("simulate", "acme", "300", "--switch", "night=dawn"), "expected one of auto, day, night"),
    (("simulate", "acme", "300", "--set", "201:asleep"), "found --set '201:asleep'"),
    (("simulate", "acme", "300", "--state", "busy:999"), "found --state 'busy:999', expected one of 201, 201-desk"),
    (("simulate", "acme", "300", "--state", "silent:2o1"), "found --state 'silent:2o1'"),
    (("simulate", "acme", "300", "--call-server", "crm=no_answer"), "acme has no call servers"),
    (("simulate", "acme", "300", "--switch", "nope=on"), "found the switch 'nope', expected one of night"),
])
def test_wrong_setting_is_refused_with_what_there_is(home: Path, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "tenants" / "acme.yaml").write_text(changed(("numbers:", "switches:\n  night: {}\nnumbers:")))
    assert centralka(home, "apply").returncode == 0
    done = centralka(home, *arguments)
    assert (done.returncode, words in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("arguments", [("switch", "acme"), ("switch", "acme", "night", "day"), ("user", "acme", "201", "--dnd")])
def test_setting_while_redis_is_away_is_refused_aloud(home: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "tenants" / "acme.yaml").write_text(changed(("numbers:", "switches:\n  night: {}\nnumbers:")))
    assert centralka(home, "apply").returncode == 0
    done = centralka(home, *arguments)
    assert (done.returncode, "gives no answer" in done.stderr) == (2, True), done.stderr


def test_simulate_takes_switches_settings_and_a_hidden_number(home: Path, tmp_path: Path) -> None:
    rules = ("{when: {switches: {night: night}}, to: mail}", "{when: {users: {'201': do_not_disturb}}, to: '203'}",
             "{when: {caller: {kinds: [anonymous]}}, to: '202'}")
    section = "".join(f"      - {rule}\n" for rule in rules)
    (tmp_path / "tenants" / "acme.yaml").write_text(changed(
        ("numbers:", f"switches:\n  night: {{}}\nconditions:\n  door:\n    rules:\n{section}    otherwise: '201'\nnumbers:"), ("{to: main}", "{to: door}")))
    for options, outcome in ((("--switch", "night=night"), "message for 201"), (("--set", "201:dnd"), "answered by 203"),
                             (("--from", "anonymous"), "answered by 202"), (("--from", "600100200"), "answered by 201")):
        done = centralka(home, "simulate", "acme", "+48221234567", *options, "--json")
        assert json.loads(done.stdout)["outcome"] == outcome, (options, done.stderr)


@pytest.mark.parametrize(("dialled", "hint"), [
    ("201", "201 is dialled inside only: name who dials it, as --from 202\n"),
    ("*97", "*97 is dialled inside only: name who dials it, as --from 201\n"),
    ("+48221234599", "from outside acme is called at +48221234567; for what a user dials name the user, as --from 201\n")])
def test_simulated_call_to_what_is_no_public_number_has_a_hint_of_what_to_give(home: Path, dialled: str, hint: str) -> None:
    assert centralka(home, "apply").returncode == 0
    assert centralka(home, "simulate", "acme", dialled).stderr.endswith(hint)
    assert hint not in centralka(home, "simulate", "acme", dialled, "--from", "203").stderr
    assert hint not in centralka(home, "simulate", "acme", "221234567").stderr


def test_simulate_tells_what_a_code_would_change(home: Path) -> None:
    done = centralka(home, "simulate", "acme", "*52300", "--from", "201", "--set", "201:dnd")
    assert "afterwards 201: do not disturb, paused in sales" in done.stdout
    done = centralka(home, "simulate", "acme", "*550630", "--from", "201", "--at", "2026-11-23T12:00", "--json")
    assert json.loads(done.stdout)["changed"]["201"]["wake_up"] == "2026-11-24 05:30:00+00:00", done.stderr
