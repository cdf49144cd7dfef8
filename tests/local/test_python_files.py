"""Python files as they run: arguments, logs, errors."""

from __future__ import annotations

from tests.local.client import Client, python_task, state_of


def test_arguments_arrive_and_logs_come_back_with_one_line_end(client: Client) -> None:
    path = client.write("import sys\nprint(sys.argv[1:])\nprint('err', file=sys.stderr)\nprint('\\n')", ".py")
    run = client.finish(python_task(path, "a", "b c"))
    assert state_of(run) == ("TERMINATED", "SUCCESS")
    output = client.output(run)
    assert (output["logs"], output["logs_truncated"]) == ("['a', 'b c']\nerr\n", False)
    assert "notebook_output" not in output


def test_an_error_comes_back_with_its_own_lines(client: Client) -> None:
    path = client.write("def f():\n    raise RuntimeError('intentional failure')\n\nf()\n", ".py")
    output = client.output(client.finish(python_task(path)))
    assert output["error"] == "RuntimeError: intentional failure"
    assert "line 2, in f\n    raise RuntimeError('intentional failure')" in output["error_trace"]
    assert output["logs"] == output["error_trace"]


def test_only_the_end_of_a_long_log_is_kept(client: Client) -> None:
    path = client.write("for i in range(70_000): print(f'{i:0>99}')", ".py")
    output = client.output(client.finish(python_task(path)))
    assert output["logs_truncated"] is True
    assert len(output["logs"]) == 5 * 1024 * 1024
    assert output["logs"].endswith("69999\n")


def test_a_file_that_does_not_exist_is_named(client: Client) -> None:
    run = client.finish(python_task("/nowhere.py"))
    assert state_of(run["tasks"][0]) == ("INTERNAL_ERROR", "FAILED")
    assert '"/nowhere.py"' in client.output(run)["error"]
