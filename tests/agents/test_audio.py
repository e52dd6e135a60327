"""What the live tests conclude from what a phone heard."""

from pathlib import Path

import numpy as np

from tests.agents.audio import dominant_frequency, likeness, read_wav, tone, write_wav


def test_a_tone_is_recognised_and_silence_is_none() -> None:
    assert abs(dominant_frequency(tone(440, 0.5)) - 440) <= 2
    assert abs(dominant_frequency(tone(1000, 0.5)) - 1000) <= 2
    assert dominant_frequency(np.zeros(8000, dtype=np.int16)) == 0
    assert dominant_frequency(np.zeros(0, dtype=np.int16)) == 0


def test_a_wav_file_is_read_as_written_even_before_its_header_is_final(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    write_wav(path, tone(440, 0.1))
    assert np.array_equal(read_wav(path), tone(440, 0.1))
    data = bytearray(path.read_bytes())
    data[40:44] = bytes(4)
    path.write_bytes(data)
    assert np.array_equal(read_wav(path), tone(440, 0.1))


def test_sound_is_found_where_it_was_played_and_nowhere_else() -> None:
    words = np.concatenate([tone(300, 0.3), np.zeros(1600, np.int16), tone(500, 0.5), np.zeros(800, np.int16), tone(300, 0.2)])
    others = np.concatenate([tone(300, 0.6), np.zeros(2400, np.int16), tone(500, 0.1), np.zeros(400, np.int16), tone(300, 0.3)])
    heard = np.concatenate([tone(440, 1), np.zeros(4000, np.int16), words // 2, tone(440, 1)])
    assert likeness(heard, words) > 0.95
    assert likeness(heard, others) < 0.8
    assert likeness(words[:800], words) == -1
