import pytest

from tutor import wire
from tutor.kernel import meaning
from tutor.kernel.meaning import Allowance, outputs
from tutor.kernel.outputs import (
    Clear,
    Display,
    Failure,
    InputRequest,
    Notice,
    Payload,
    Result,
    Stream,
)
from tutor.messages import Overflowed, ResetDone


def test_streams() -> None:
    assert outputs("stream", {"name": "stdout", "text": "a"}) == [Stream("stdout", "a")]
    assert outputs("stream", {"name": "stderr", "text": "a"}) == [Stream("stderr", "a")]


def test_a_result_has_its_note() -> None:
    data = {"text/plain": "tensor(1.)", wire.NOTE_MIME: "shape ()"}
    found = outputs("execute_result", {"data": data})
    assert found == [Result("tensor(1.)", "shape ()")]
    found = outputs("execute_result", {"data": {"text/plain": "1"}})
    assert found == [Result("1", None)]


def test_a_display_is_its_text() -> None:
    picture = {"text/plain": "<Figure>", "image/png": "..."}
    assert outputs("display_data", {"data": picture}) == [Display("<Figure>")]
    assert outputs("display_data", {"data": {"image/png": "..."}}) == []
    assert outputs("update_display_data", {"data": picture}) == [Display("<Figure>")]


def test_a_message_of_the_engine() -> None:
    message = wire.Message("r1", 2, ResetDone())
    content = {"data": {wire.MIME: wire.dumps(message)}}
    assert outputs("display_data", content) == [Payload(message)]


@pytest.mark.parametrize("broken", ["{}", "not JSON", '{"v": 99}', "[1]", 3, None])
def test_a_broken_message_of_the_engine_is_said(broken: object) -> None:
    (notice,) = outputs("display_data", {"data": {wire.MIME: broken}})
    assert isinstance(notice, Notice)


@pytest.mark.parametrize("file", ["/state/output.txt", None])
def test_overflow_is_a_notice(file: str | None) -> None:
    message = wire.Message("", 0, Overflowed(file))
    (notice,) = outputs("display_data", {"data": {wire.MIME: wire.dumps(message)}})
    assert isinstance(notice, Notice)
    assert (file or "not shown") in notice.text


def test_an_error() -> None:
    content = {"ename": "E", "evalue": "v", "traceback": ["a", "b"], "line": 3}
    assert outputs("error", content) == [Failure("E", "v", "a\nb", 3)]
    assert outputs("error", {}) == [Failure("", "", "", None)]


def test_what_shows_nothing() -> None:
    assert outputs("clear_output", {"wait": False}) == [Clear()]
    assert outputs("status", {"execution_state": "busy"}) == []
    assert outputs("something new", {}) == []


def test_a_long_value_is_cut_and_said() -> None:
    data = {"text/plain": "x" * (meaning.VALUE_CHARACTERS + 1)}
    result, notice = outputs("execute_result", {"data": data})
    assert isinstance(result, Result)
    assert len(result.text) == meaning.VALUE_CHARACTERS
    assert isinstance(notice, Notice)
    failed, notice = outputs("error", {"traceback": [data["text/plain"]]})
    assert isinstance(failed, Failure)
    assert len(failed.traceback) == meaning.VALUE_CHARACTERS


def test_replies() -> None:
    assert meaning.of_reply({"status": "ok"}) == []
    (notice,) = meaning.of_reply({"payload": [{"source": "ask_exit"}]})
    assert isinstance(notice, Notice)
    page = {"source": "page", "data": {"text/plain": "help"}}
    assert meaning.of_reply({"payload": [page]}) == [Display("help")]


def test_input_requests() -> None:
    assert meaning.input_request({"prompt": "?"}) == InputRequest("?")
    secret = {"prompt": "?", "password": True}
    assert meaning.input_request(secret) == InputRequest("?", password=True)


def test_the_allowance_of_a_cell_ends() -> None:
    allowance = Allowance()
    half = Display("x" * (meaning.SHOWN_CHARACTERS // 2 + 1))
    assert allowance.admit([half]) == [half]
    shown, notice = allowance.admit([half])
    assert isinstance(shown, Display)
    assert len(shown.text) < len(half.text)
    assert isinstance(notice, Notice)
    assert allowance.admit([half, Clear()]) == [Clear()]
