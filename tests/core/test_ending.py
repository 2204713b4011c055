"""How scripts end: errors as one sentence, exit statuses."""

from __future__ import annotations

import signal

import pytest
from omegaconf import OmegaConf

from contrastive_artifacts.core.ending import instructive
from contrastive_artifacts.core.errors import AudioError, ParameterError, UnknownNameError


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # put back afterwards: instructive() sets it
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")


def raising(error: BaseException) -> int:
    with pytest.raises(SystemExit) as stopped, instructive():
        raise error
    return stopped.value.code


def test_an_error_of_the_package_is_its_message(capsys):
    message = "a[0].wav holds 3 NaN values [/red], the first at sample 7; " + "replace them and save it again. " * 4
    assert raising(AudioError(message)) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == f"AudioError: {message}\n"  # one line, brackets and all


def test_an_error_of_the_configuration_is_its_message(capsys):
    config = OmegaConf.create({"run": "???"})
    with pytest.raises(SystemExit) as stopped, instructive():
        _ = config.run
    assert stopped.value.code == 2
    assert "MissingMandatoryValue" in capsys.readouterr().err


def test_an_error_of_a_file_is_its_message(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended, instructive():
        (tmp_path / "no" / "folder").write_text("x")
    assert ended.value.code == 1
    assert (
        capsys.readouterr().err == f"FileNotFoundError: [Errno 2] No such file or directory: '{tmp_path}/no/folder'\n"
    )


def test_a_mistake_in_the_code_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), instructive():
        _ = 1 / 0


@pytest.mark.parametrize("kind", [ParameterError, UnknownNameError])
def test_wrong_use_has_a_status_of_its_own(kind):
    assert raising(kind("steps=-1: give 1 or more.")) == 2


def test_ctrl_c_is_one_line(capsys):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as ended, instructive("Finished clips are kept."):
        raise KeyboardInterrupt
    signal.signal(signal.SIGINT, before)
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "Stopped. Finished clips are kept.\n")


def test_a_good_end_is_quiet(capsys):
    with instructive():
        pass
    assert capsys.readouterr() == ("", "")


def test_names_in_errors_are_shown_literally(capsys):
    assert raising(AudioError("a[/b] [live] \x1b[31m\u202e\udcff 文.flac is empty.")) == 1
    assert r"a[/b] [live] \x1b[31m\u202e\udcff 文.flac is empty." in capsys.readouterr().err
