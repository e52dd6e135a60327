"""Password guesses: an address is banned after a few, an account's own user is not, and nobody else is by what a guesser writes."""

from datetime import UTC, datetime, timedelta

import pytest

from ami.security.guesses import (
    ALLOWED,
    FIRST_BAN,
    FORGIVEN_S,
    GUARDED,
    LONGEST_BAN,
    MOST_BANS,
    MOST_KNOWN,
    Guess,
    Guesses,
    guess_of,
    in_force,
    new_ban,
)
from store.bans import Ban

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
REFUSED = "Request 'REGISTER' from '{sender}' failed for '{address}' (callid: {call}) - {why}"


def told(sender: str = "<sip:acme-201-desk@192.0.2.1>", address: str = "198.51.100.7:5061", call: str = "1@x",
         why: str = "Failed to authenticate") -> Guess | None:
    return guess_of(REFUSED.format(sender=sender, address=address, call=call, why=why))


def test_asterisks_message_names_the_address_and_the_account() -> None:
    assert told() == Guess(("198.51.100.7",), "acme-201-desk")
    assert told(sender='"Anna" <sip:acme-201-desk@192.0.2.1>') == Guess(("198.51.100.7",), "acme-201-desk")
    assert told(address="[2001:db8:1:2::7]:5061") == Guess(("2001:db8:1:2::/64",), "acme-201-desk")
    assert told(call=r"x\xff@y", why="Error to authenticate") == Guess(("198.51.100.7",), "acme-201-desk")
    assert told(sender="<sip:any%0abody@192.0.2.1>") == Guess(("198.51.100.7",), "")


@pytest.mark.parametrize("text", [
    REFUSED.format(sender="<sip:a@b>", address="198.51.100.7:1", call="1", why="No matching endpoint found"),
    REFUSED.format(sender="<sip:a@b>", address="198.51.100.7:1", call="1", why="No matching endpoint found after 6 tries in 1.000 ms"),
    "Endpoint acme-201-desk is now Reachable", "", "Request 'REGISTER' from '' failed"])
def test_a_request_without_a_password_is_no_guess(text: str) -> None:
    assert guess_of(text) is None


def test_what_the_sender_writes_hides_its_own_address_nowhere() -> None:
    forged = "' failed for '203.0.113.9:5060' (callid: 2) - Failed to authenticate"
    for guess in (told(call="1" + forged), told(sender=f'"x{forged}" <sip:acme-201-desk@192.0.2.1>')):
        assert guess is not None
        assert "198.51.100.7" in guess.addresses


def guesses(store: Guesses, count: int, address: str = "198.51.100.7", account: str = "acme-201-desk",
            known: tuple[str, ...] = (), now_s: float = 0) -> list[str]:
    return [each for _ in range(count) for each in store.note(Guess((address,), account), known, now_s)]


def test_address_is_banned_after_a_few_wrong_passwords_at_any_accounts() -> None:
    store = Guesses()
    assert guesses(store, ALLOWED - 2) == []
    assert guesses(store, 1, account="rossi-201-desk") == []
    assert guesses(store, 1) == ["198.51.100.7"]
    assert store.accounts_at("198.51.100.7") == ("acme-201-desk", "rossi-201-desk")


def test_a_phone_with_an_old_password_that_tries_now_and_then_is_not_banned() -> None:
    store = Guesses()
    assert [each for turn in range(500) for each in guesses(store, 1, now_s=turn * FORGIVEN_S)] == []


def test_address_of_a_registered_device_is_not_banned_but_reported() -> None:
    store = Guesses()
    assert guesses(store, 100, known=("198.51.100.7",)) == []
    assert store.notable(("198.51.100.7",), 0) == {"198.51.100.7": 100, "acme-201-desk": 100}
    assert guesses(store, 1, known=()) == ["198.51.100.7"]          # its device is gone


def test_account_that_many_addresses_guess_at_allows_each_new_one_a_single_wrong_password() -> None:
    store = Guesses()
    for number in range(GUARDED):
        assert guesses(store, 1, address=f"198.51.100.{number}") == []
    assert guesses(store, 1, address="203.0.113.1") == ["203.0.113.1"]
    assert guesses(store, 1, address="203.0.113.2", account="acme-202-desk") == []
    assert guesses(store, 1, address="203.0.113.3", now_s=GUARDED * FORGIVEN_S) == []       # it is over


def test_memory_is_bounded_whatever_addresses_and_names_there_are() -> None:
    store = Guesses()
    for number in range(2 * MOST_KNOWN):
        guesses(store, 1, address=f"10.0.{number // 256}.{number % 256}", account=f"acme-{number}-desk")
    assert len(store._addresses._levels) == len(store._accounts._levels) == len(store._accounts_at) == MOST_KNOWN
    bans = {f"10.0.{number // 256}.{number % 256}": new_ban(None, (), NOW) for number in range(2 * MOST_BANS)}
    assert len(in_force(bans, (), NOW)) == MOST_BANS


def test_each_ban_within_a_day_is_longer_and_none_is_for_ever() -> None:
    lengths, ban, now = [], None, NOW
    for _ in range(12):
        ban = new_ban(ban, (), now)
        lengths.append(ban.until - ban.since)
        now = ban.until + timedelta(hours=1)
    assert lengths[:3] == [FIRST_BAN, 2 * FIRST_BAN, 4 * FIRST_BAN]
    assert lengths == sorted(lengths)
    assert lengths[-1] == LONGEST_BAN
    assert new_ban(ban, (), ban.until + timedelta(days=1)).times == 1      # type: ignore[union-attr]


def test_a_ban_ends_by_itself_and_spares_an_address_where_a_device_has_registered() -> None:
    bans = {"198.51.100.7": Ban(NOW, NOW + FIRST_BAN), "198.51.100.8": Ban(NOW, NOW + FIRST_BAN)}
    assert in_force(bans, ("198.51.100.8",), NOW) == ["198.51.100.7"]
    assert in_force(bans, (), NOW + FIRST_BAN) == []
