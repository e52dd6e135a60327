import os
import signal
import subprocess
import sys

import pytest

from runtime.signals import ENDING

PROGRAM = """
import asyncio, sys
from runtime.signals import exit_on_signals, undisturbed
exit_on_signals()
try:
    print("begun", flush=True)
    asyncio.run(asyncio.sleep(1000))
finally:
    with undisturbed():
        print("tidying up", flush=True)
        sys.stdin.readline()
        print("tidied up", flush=True)
"""


@pytest.mark.parametrize("number", ENDING)
def test_command_that_is_ended_tidies_up_even_if_it_is_ended_again_meanwhile(number: signal.Signals) -> None:
    with subprocess.Popen(
        (sys.executable, "-c", PROGRAM), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdin is not None
        assert program.stdout.readline() == "begun\n"
        os.kill(program.pid, number)
        assert program.stdout.readline() == "tidying up\n"
        for again in ENDING:
            os.kill(program.pid, again)
        program.stdin.write("\n")
        program.stdin.close()
        assert program.stdout.readline() == "tidied up\n"
    assert program.returncode in {128 + each for each in ENDING}
