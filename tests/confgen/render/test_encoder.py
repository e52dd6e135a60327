"""What may stand in a file of Asterisk's: refused or left as it is, never changed."""

import pytest
from jinja2 import UndefinedError

from confgen.render import encoder
from confgen.render.carrier_password import CarrierPassword, UnsafeValue
from confgen.render.encoder import encode


@pytest.mark.parametrize("text", [
    "", "acme-201-desk", "Zażółć O'Neill (R&D)", "+48221234567", "sip.example.org:5060", "Anna <201>", "a/b_c*#@", 5060])
def test_harmless_value_stands_unchanged(text: object) -> None:
    assert encode(text) is text


@pytest.mark.parametrize("char", [*"\n\r\t\0;$[]{}\"\\|,=`!?~^%\u2028\x7f\x85"])
def test_value_with_a_character_that_means_something_is_refused(char: str) -> None:
    for text in (char, f"a{char}b", f"{char}b", f"a{char}"):
        with pytest.raises(UnsafeValue):
            encode(text)


def test_value_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnsafeValue):
        encode(None)


def test_template_cannot_write_an_unsafe_value_nor_one_that_is_missing(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "x.conf.j2").write_text("name = {{ name }}\n")
    monkeypatch.setattr(encoder._environment, "loader", encoder.FileSystemLoader(tmp_path))
    assert encoder.fill("x.conf", {"name": "Anna"}) == "name = Anna\n"
    with pytest.raises(UnsafeValue):
        encoder.fill("x.conf", {"name": "Anna\n[general]"})
    with pytest.raises(UndefinedError):
        encoder.fill("x.conf", {})


@pytest.mark.parametrize("text", ["a", "p$w[d]{e}|f,=`g!?~^%h\"i", "two words", "x" * 100, "/<>&'"])
def test_carriers_password_stands_as_the_carrier_gave_it(text: str) -> None:
    assert encode(CarrierPassword(text)) == text


@pytest.mark.parametrize("text", [
    "", " ", " a", "a ", "a;b", ";", "a\\", "a\\b", "a\nb", "a\n", "a\rb", "a\tb", "a\0b", "a\x7f", "zażółć", "x" * 101])
def test_carriers_password_that_no_file_can_hold_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(UnsafeValue) as caught:
        CarrierPassword(text)
    assert str(caught.value) == "found a password that is empty or holds ';', a backslash or what is not printable ASCII"


def test_only_a_carriers_password_may_hold_more() -> None:
    with pytest.raises(UnsafeValue):
        encode(str(CarrierPassword("p$w[d]")) + "")
