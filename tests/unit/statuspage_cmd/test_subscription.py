"""How often an address is asked that does not answer."""

from statuspage_cmd.subscriptions.subscription import VALID, ask_again


def test_address_is_asked_eight_times_ever_further_apart_within_a_day():
    waits = [ask_again(tries) for tries in range(1, 8)]
    seconds = [wait.total_seconds() for wait in waits if wait]
    assert seconds == [2, 10, 50, 250, 1250, 6250, 31250]
    assert sum(seconds) < VALID.total_seconds()
    assert ask_again(8) is None
