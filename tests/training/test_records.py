import json

from turntable.training.records import Records, read_records


def write(folder, done_steps, steps):
    with Records(folder / "records.jsonl", folder / "tb", done_steps) as records:
        for step in steps:
            records.add("step", 0, step, {"loss": 1 / step})


def test_records_are_json_lines_in_order(tmp_path):
    write(tmp_path, 0, [1, 2, 3])
    found = read_records(tmp_path / "records.jsonl")
    assert found == [{"kind": "step", "epoch": 0, "step": n, "loss": 1 / n} for n in (1, 2, 3)]


def test_a_continued_run_forgets_what_came_after_its_checkpoint(tmp_path):
    write(tmp_path, 0, [1, 2, 3, 4])
    write(tmp_path, 2, [3, 4, 5])
    assert [record["step"] for record in read_records(tmp_path / "records.jsonl")] == [1, 2, 3, 4, 5]


def test_a_line_that_a_kill_cut_short_is_dropped(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps({"kind": "step", "epoch": 0, "step": 1}) + '\n{"kind": "st')
    write(tmp_path, 1, [2])
    assert [record["step"] for record in read_records(path)] == [1, 2]


def test_tensorboard_reads_the_same_values(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with Records(tmp_path / "records.jsonl", tmp_path / "tb", 0) as records:
        records.add("epoch", 0, 7, {"loss": 0.25})
        records.add_speed(7, 100.0)
    events = EventAccumulator(str(tmp_path / "tb")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("epoch/loss")] == [(7, 0.25)]
    assert "speed" not in (tmp_path / "records.jsonl").read_text()
