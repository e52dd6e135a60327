"""How long somebody who guesses has to wait."""

from provision.limiter import ALLOWED, REGAINED_S, REMEMBERED, Limiter


def spent(limiter: Limiter, address: str, now_s: float, times: int = ALLOWED) -> None:
    for _ in range(times):
        assert not limiter.is_blocked(address, now_s)
        limiter.note_wrong(address, now_s)


def test_address_that_was_wrong_too_often_waits_for_each_further_request() -> None:
    limiter = Limiter()
    spent(limiter, "192.0.2.1", 100)
    assert limiter.is_blocked("192.0.2.1", 100)
    assert limiter.is_blocked("192.0.2.1", 99.9 + REGAINED_S)
    spent(limiter, "192.0.2.1", 100 + REGAINED_S, times=1)
    assert limiter.is_blocked("192.0.2.1", 100 + REGAINED_S)
    assert not limiter.is_blocked("192.0.2.2", 100)


def test_ipv6_addresses_of_one_network_count_together() -> None:
    limiter = Limiter()
    for i in range(ALLOWED):
        limiter.note_wrong(f"2001:db8::{i:x}", 0)
    assert limiter.is_blocked("2001:db8::ffff", 0)
    assert not limiter.is_blocked("2001:db8:0:1::1", 0)


def test_flood_of_addresses_takes_no_more_memory_than_was_allowed() -> None:
    limiter = Limiter()
    for i in range(REMEMBERED + 5000):
        limiter.note_wrong(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", 0)
    assert len(limiter._spent) == REMEMBERED
