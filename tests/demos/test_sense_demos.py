"""The logic of the demos that see and hear: examples, mazes, spectrograms, words in sound, gestures."""

import asyncio
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import pyml

DEMOS = Path(__file__).resolve().parents[2] / "demos"


@pytest.fixture(autouse=True)
def demo_modules(monkeypatch):
    """The demos' files can be imported by their names."""
    for name in ("controller", "spectrogram", "speech", "pose", "teachable"):
        monkeypatch.syspath_prepend(str(DEMOS / name))
    yield
    for name in ("controller", "spectrogram", "speech", "pose", "teachable"):
        sys.modules.pop(name, None)


def demo(name):
    return importlib.import_module(name)


def run(coroutine):
    return asyncio.run(coroutine)


# ---- controller


def test_every_maze_can_be_walked_to_its_exit():
    controller = demo("controller")
    for seed in range(20):
        maze = controller.Maze(size=5, seed=seed)
        for command in maze.way():
            assert maze.move(command)
        assert maze.solved and not maze.move("up")


def test_a_wall_stops_the_player_and_counts_no_move():
    maze = demo("controller").Maze(seed=1)
    walled = next(command for command in ("up", "down", "left", "right") if command not in maze.walls()[0])
    assert not maze.move(walled)
    assert (maze.player, maze.moves) == ((0, 0), 0)


def test_the_game_waits_between_moves_and_for_a_sure_answer():
    controller = demo("controller")
    maze = controller.Maze(seed=1)
    first = controller.COMMANDS.index(maze.way()[0])
    sure, torn = np.full(4, 0.02), np.full(4, 0.25)
    sure[first] = 0.94
    game = controller.Game(maze, pace=0.5)
    assert game.play(torn, 0.0) is None
    assert game.play(sure, 0.1) == controller.COMMANDS[first]
    before = maze.moves
    assert game.play(sure, 0.3) is None and maze.moves == before


def test_a_command_without_examples_is_named():
    controller = demo("controller")
    some, pick = controller.Controller(), np.random.default_rng(0)
    for command in ("up", "down"):
        for _ in range(5):
            run(some.add(command, controller.drawn_pose(command, pick)))
    with pytest.raises(ValueError, match="Too few examples of left and right"):
        run(some.train())
    with pytest.raises(ValueError, match="Train the controller first"):
        run(some.predict(controller.drawn_pose("up", pick)))


def test_the_oldest_examples_make_room(monkeypatch):
    controller = demo("controller")
    monkeypatch.setattr(controller, "MOST", 3)
    some, pick = controller.Controller(), np.random.default_rng(0)
    pictures = [controller.drawn_pose("up", pick) for _ in range(4)]
    assert [run(some.add("up", picture)) for picture in pictures] == [1, 2, 3, 3]
    np.testing.assert_array_equal(some.pictures["up"][0], pictures[1])


def test_with_the_last_example_what_was_learned_is_forgotten():
    controller = demo("controller")
    some, pick = controller.Controller(), np.random.default_rng(0)
    for command in controller.COMMANDS:
        for _ in range(controller.FEWEST):
            run(some.add(command, controller.drawn_pose(command, pick)))
    run(some.train(epochs=1))
    for i, command in enumerate(controller.COMMANDS):
        assert some.learned is not None, i
        some.forget(command)
    assert some.learned is None and some.tested == ([], [])
    with pytest.raises(ValueError, match="Train the controller first"):
        run(some.predict(controller.drawn_pose("up", pick)))


# ---- spectrogram


@pytest.mark.parametrize("window", [256, 1024])
def test_a_tone_peaks_at_its_frequency_with_the_level_of_an_analyser_node(window):
    spectrogram = demo("spectrogram")
    some = spectrogram.Spectrogram(16000, window)
    columns = run(some.columns(spectrogram.tone(1000, 0.3, 16000, loudness=0.5)))
    assert columns.shape == ((4800 - window) // (window // 4) + 1, window // 2)
    for column in columns:
        frequency, level = some.loudest(column)
        assert frequency == pytest.approx(1000, abs=some.bin_width / 10)
        assert level == pytest.approx(20 * np.log10(0.5 / 2 * 0.42), abs=0.5)  # half of the amplitude, times the window's mean


def test_pieces_of_sound_give_the_columns_of_the_whole():
    spectrogram = demo("spectrogram")
    sound = np.random.default_rng(1).standard_normal(5000).astype(np.float32)
    whole = run(spectrogram.Spectrogram(16000, 256).columns(sound))
    some = spectrogram.Spectrogram(16000, 256)
    pieces = [run(some.columns(piece)) for piece in np.split(sound, [10, 300, 2500])]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-3)


@pytest.mark.parametrize(("frequency", "name"), [(440, ("A4", 0)), (261.63, ("C4", 0)), (1000, ("B5", 21)), (0, ("", 0))])
def test_tones_have_the_names_of_the_piano(frequency, name):
    assert demo("spectrogram").note(frequency) == name


# ---- speech


def spoken(at, seconds=3.0, length=0.4, frequency=300):
    """Quiet noise with a tone around each time of `at`."""
    rate = 16000
    sound = 0.0005 * np.random.default_rng(0).standard_normal(int(seconds * rate))
    time = np.arange(int(length * rate)) / rate
    for middle in at:
        start = int((middle - length / 2) * rate)
        sound[start : start + len(time)] += 0.4 * np.sin(np.pi * time / length) * np.sin(2 * np.pi * frequency * time)
    return sound.astype(np.float32)


@pytest.mark.parametrize("at", [0.3, 1.4, 2.7])
def test_the_second_around_a_word_has_the_word_in_its_middle(at):
    speech = demo("speech")
    clip = speech.cut(spoken([at]))
    assert clip.shape == (16000,)
    assert speech.middle(clip) == pytest.approx(8000, abs=200)


def test_silence_is_no_word():
    with pytest.raises(ValueError, match="Nothing was heard"):
        demo("speech").cut(spoken([]))


@pytest.mark.parametrize("piece", [500, 1024, 9000])
def test_each_word_of_a_stream_is_heard_once_and_in_its_middle(piece):
    speech = demo("speech")
    ear, sound = speech.Ear(), spoken([0.8, 2.2, 3.6], seconds=5)
    clips = [clip for start in range(0, len(sound), piece) for clip in ear.hear(sound[start : start + piece])]
    assert len(clips) == 3
    for clip in clips:
        assert speech.middle(clip) == pytest.approx(8000, abs=300)


def test_spectra_of_pieces_are_those_of_the_whole_and_show_the_tone():
    speech = demo("speech")
    sound = spoken([1.5], frequency=1000)
    whole, parts = speech.Spectra().of(sound), speech.Spectra()
    np.testing.assert_allclose(np.concatenate([parts.of(sound[:777]), parts.of(sound[777:])]), whole, atol=1e-3)
    loudest = whole[150].argmax()
    assert speech.mel_weights()[:, loudest].argmax() == pytest.approx(32, abs=1)  # 1000 Hz in steps of 31.25 Hz


def test_two_words_are_learned_from_spectra_and_too_few_examples_are_named():
    speech = demo("speech")
    words = speech.Words(run(speech.OwnSpectra.load()))

    async def teach():
        for i in range(4):
            await words.add("low", spoken([1.5], frequency=250 + 10 * i))
            await words.add("high", spoken([1.5], frequency=2000 + 50 * i))
        accuracy = await words.train(epochs=30)
        shares = [await words.recognise(speech.cut(spoken([1.0], frequency=f))) for f in (265, 2080)]
        return accuracy, [words.names[int(np.argmax(share))] for share in shares]

    assert run(teach()) == (1.0, ["low", "high"])
    run(words.add("other", spoken([1.0])))
    with pytest.raises(ValueError, match="“other” has too few examples"):
        run(words.train())


# ---- pose


def pose_of(**places):
    """A pose with these points, the others unseen."""
    from pyml.hub.pose import KEYPOINTS, Keypoint, Pose

    return Pose([Keypoint(name, *places.get(name, (0.0, 0.0)), 0.9 if name in places else 0.0) for name in KEYPOINTS])


@pytest.mark.parametrize(("places", "expected"), [
    ({"left_wrist": (50, 10), "left_shoulder": (40, 60)}, ["left hand up"]),
    ({"left_wrist": (50, 90), "left_shoulder": (40, 60)}, []),
    ({"right_shoulder": (0, 0), "right_elbow": (0, 50), "right_wrist": (20, 10)}, ["right arm bent"]),
    ({"right_shoulder": (0, 0), "right_elbow": (0, 50), "right_wrist": (0, 100)}, []),
    ({"left_eye": (60, 40), "right_eye": (40, 20)}, ["head tilted to the left"]),
    ({"nose": (50, 50), "left_ear": (60, 50)}, ["face turned to the right"]),
    ({}, []),
])  # fmt: skip
def test_gestures_are_read_from_the_points(places, expected):
    assert demo("pose").gestures(pose_of(**places)) == expected


def test_small_movements_are_held_back_and_large_ones_are_not():
    calmed = demo("pose").calmed
    before = pose_of(nose=(100, 100))
    assert calmed(before, pose_of(nose=(102, 100)))["nose"].x < 101
    assert calmed(before, pose_of(nose=(180, 100)))["nose"].x == 180
    assert calmed(pose_of(), pose_of(nose=(5, 5)))["nose"].x == 5  # nothing to go by


# ---- teachable


class Base:
    """A network whose features of a picture are the picture."""

    def embed(self, picture):
        return pyml.convert_to_tensor(np.asarray(picture, "float32"))


def test_a_class_without_examples_is_named_and_what_was_learned_stays():
    teachable = demo("teachable")
    some = teachable.Teachable(Base())
    with pytest.raises(ValueError, match="Nothing was learned yet"):
        run(some.shares([1, 0, 0, 0]))
    for number, picture in ((0, [9, 0, 0, 0]), (0, [8, 0, 0, 0]), (3, [0, 9, 0, 0])):
        run(some.add(number, picture))
    with pytest.raises(ValueError, match="Two classes are the least"):
        run(some.train({0: "cat"}))
    assert run(some.train({0: "cat", 3: "cup"})) == 1
    head = some.head
    with pytest.raises(ValueError, match=r"^dog and owl have no examples yet; add some, or remove the class"):
        run(some.train({0: "cat", 1: "dog", 3: "cup", 4: "owl"}))
    assert some.head is head and run(some.shares([1, 0, 0, 0])).keys() == {0, 3}
