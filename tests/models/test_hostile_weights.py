"""Files of weights that strangers made: nothing of them is executed, and they cost what their bytes do."""

import io
import os
import pickle
import struct
import time
import zipfile

import pytest
import torch
from torch import nn

from tests.support.hostile_weights import (
    APPEND,
    BUILD,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_TUPLE,
    GET,
    MARK,
    PROTOCOL,
    PUT,
    REDUCE,
    SET_ITEM,
    STOP,
    TUPLE,
    TUPLE_1,
    TUPLE_2,
    archive,
    called,
    doubled,
    named,
    number,
    numbers,
    storage,
    tensor,
    text,
    weights,
)
from turntable.errors import IntegrityError, InvalidInputError, TurntableError
from turntable.models import METHODS
from turntable.models.weights import read_published_weights, read_weight_file

ONE = tensor(storage(), numbers(1), numbers(1))
ORDERED = named("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE

PICKLES = {
    "a tensor of terabytes over one number": (
        weights(a=tensor(storage(), numbers(2**20, 2**20), numbers(0, 0))),
        "repeats them",
    ),
    "a tensor of more numbers than there are": (
        weights(a=tensor(storage(), numbers(2**62, 2**62), numbers(0, 0))),
        "repeats them",
    ),
    "tensors over one storage again and again": (
        weights(**{f"w{n}": ONE for n in range(50)}),
        "repeats them",
    ),
    "a tensor of negative sides": (weights(a=tensor(storage(), numbers(-1), numbers(1))), "without a shape"),
    "a tensor whose shape is a text": (weights(a=tensor(storage(), text("9"), numbers(1))), "broken"),
    "a tensor that begins elsewhere": (
        weights(a=tensor(storage(), numbers(1), numbers(1), 2**40)),
        "ends after its storage",
    ),
    "a storage longer than its bytes": (
        weights(a=tensor(storage(count=10**9), numbers(1), numbers(1))),
        "a storage 0 of 1,000,000,000 numbers in 4 bytes",
    ),
    "a storage of negative length": (weights(a=storage(count=-1)), "a storage"),
    "a storage that is not there": (weights(a=storage("7")), "broken"),
    "a storage of no numbers": (weights(a=storage(kind=("torch", "float32"))), "broken"),
    "a storage in a storage": (weights(a=MARK + storage() + TUPLE + b"Q"), "broken"),
    "tuples that double": (weights(a=doubled(EMPTY_TUPLE + TUPLE_1, TUPLE_2)), "one container in several"),
    "tuples that double as a key": (
        PROTOCOL + EMPTY_DICT + doubled(EMPTY_TUPLE + TUPLE_1, TUPLE_2) + number(1) + SET_ITEM + STOP,
        "one container in several",
    ),
    "a list in itself": (
        weights(a=EMPTY_LIST + PUT + b"\0" + GET + b"\0" + APPEND),
        "one container in several",
    ),
    "dictionaries that double": (
        weights(a=EMPTY_DICT + PUT + b"\0" + text("b") + GET + b"\0" + SET_ITEM),
        "one container in several",
    ),
    "tuples without end": (weights(a=EMPTY_TUPLE + TUPLE_1 * 100_000), "containers nested more than"),
    "marks without end": (weights(a=MARK * 100_000), "broken"),
    "lists without end": (weights(a=EMPTY_LIST * 100_000 + APPEND * 99_999), "containers nested more than"),
    "a call of the system": (
        weights(a=called("os", "system", text("touch ran"))),
        "os.system, which is neither",
    ),
    "a call of eval": (weights(a=called("builtins", "eval", text("1"))), "builtins.eval, which is neither"),
    "a call of a method by its path": (
        weights(a=called("torch", "hub.load", text("a"))),
        "torch.hub.load, which",
    ),
    "bytes without end": (
        weights(a=called("builtins", "bytearray", number(2**40))),
        "builtins.bytearray, which",
    ),
    "a tensor made empty": (
        weights(a=called("torch", "FloatTensor", number(2**40))),
        "torch.FloatTensor, which",
    ),
    "a tensor without numbers": (
        weights(a=called("torch._utils", "_rebuild_meta_tensor_no_storage", named("torch", "float32"))),
        "_rebuild_meta_tensor_no_storage, which",
    ),
    "a sparse tensor": (
        weights(a=called("torch._utils", "_rebuild_sparse_tensor")),
        "_rebuild_sparse_tensor, which",
    ),
    "a text in a codec of many names": (
        weights(a=called("_codecs", "encode", text("a" * 9), text("idna"))),
        "in another encoding",
    ),
    "a dictionary with methods of its own": (
        PROTOCOL + ORDERED + EMPTY_DICT + text("items") + number(1) + SET_ITEM + BUILD + STOP,
        "a dictionary with attributes",
    ),
    "a tensor with attributes": (weights(a=ONE + EMPTY_DICT + BUILD), "broken"),
    "a value that is called": (weights(a=text("a") + EMPTY_TUPLE + REDUCE), "broken"),
    "an instruction of another protocol": (weights(a=b"\x8c\x01a"), "an instruction SHORT_BINUNICODE"),
    "an instruction of none": (weights(a=b"\xff"), "broken"),
    "a text longer than the file": (PROTOCOL + b"X\xff\xff\xff\x7fa", "broken"),
    "no end": (PROTOCOL + EMPTY_DICT, "broken"),
    "no beginning": (STOP, ""),
    "nothing": (b"", "broken"),
    "a number of names": (weights(**{"a" * 5_000_000: number(1)}), "bytes of names"),
    "a list of weights": (PROTOCOL + EMPTY_LIST + STOP, "holds no dictionary of weights"),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_hostile_pickle_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    pickled, words = PICKLES[name]
    path = tmp_path / "weights.pt"
    path.write_bytes(archive(pickled))
    began = time.process_time()
    with pytest.raises(IntegrityError) as caught:
        read_weight_file(path)
    said = str(caught.value)
    assert words in said
    assert str(path) in said
    assert len(said) < 600
    assert said.isprintable()
    assert time.process_time() - began < 10
    assert [item.name for item in tmp_path.iterdir()] == ["weights.pt"]


def zipped_over_itself():
    """Two records in the bytes of one."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("archive/data.pkl", weights(a=number(1)))
        file.writestr("archive/data/0", bytes(100_000))
        for n in range(1, 4):
            again = zipfile.ZipInfo(f"archive/data/{n}")
            again.header_offset = file.filelist[1].header_offset
            again.file_size = again.compress_size = 100_000
            again.CRC = file.filelist[1].CRC
            file.filelist.append(again)
            file.NameToInfo[again.filename] = again
    return out.getvalue()


def saved(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


FILES = {
    "packed": (
        lambda: archive(weights(a=number(1)), {"0": bytes(10**8)}, zipfile.ZIP_DEFLATED),
        "compressed or overlapping",
    ),
    "over itself": (zipped_over_itself, "compressed or overlapping"),
    "of an older format": (
        lambda: saved({"a": torch.zeros(2)}, _use_new_zipfile_serialization=False),
        "not a zip archive",
    ),
    "a pickle alone": (lambda: pickle.dumps({"a": 1}), "not a zip archive"),
    "of safetensors": (
        lambda: struct.pack("<Q", 60) + b'{"a":{"dtype":"F32","shape":[1]}}',
        "not a zip archive",
    ),
    "empty": (lambda: b"", "not a zip archive"),
    "noise": (lambda: b"PK\x03\x04" + bytes(range(256)) * 9, "not a zip archive"),
    "cut": (lambda: archive(weights(a=number(1)))[:-30], "not a zip archive"),
    "another archive": (lambda: zipped({"a/b.txt": b"a"}), "no data.pkl"),
    "an archive of nothing": (lambda: zipped({}), "no data.pkl"),
    "a damaged record": (
        lambda: archive(weights(a=ONE), {"0": b"abcd"}).replace(b"abcd", b"abce", 1),
        "Bad CRC-32",
    ),
}


def zipped(records):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in records.items():
            file.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused(tmp_path, name):
    make, words = FILES[name]
    path = tmp_path / "weights.pt"
    path.write_bytes(make())
    with pytest.raises(IntegrityError) as caught:
        read_weight_file(path)
    assert words in str(caught.value)


def test_an_encrypted_record_is_refused(tmp_path):
    path = tmp_path / "weights.pt"
    data = bytearray(archive(weights(a=number(1))))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="encrypted"):
        read_weight_file(path)


def test_what_is_no_ordinary_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "device"):
        with pytest.raises(InvalidInputError, match="not a regular file"):
            read_weight_file(path)
    with pytest.raises(InvalidInputError, match="there is no such file"):
        read_weight_file(tmp_path / "nothing")


def test_records_beside_the_weights_are_left_out(tmp_path):
    path = tmp_path / "weights.pt"
    path.write_bytes(archive(weights(a=ONE)))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("other/code.py", "raise SystemExit")
    assert read_weight_file(path)["a"].tolist() == [1.0]


def test_whatever_torch_saves_of_a_training_comes_back(tmp_path):
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    groups = [{"params": [p]} for p in network.parameters()]
    optimizer = torch.optim.AdamW(groups, betas=(0.8, 0.9))
    network(torch.randn(4, 2)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 1, 2])
    tied = nn.Linear(2, 2)
    state = {
        "model": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "tied": {"one": tied.weight, "two": tied.weight, "part": tied.weight[1]},
        "kinds": [
            torch.zeros(2, dtype=kind) for kind in (torch.float16, torch.bfloat16, torch.bool, torch.int8)
        ],
        "plain": [None, True, 1, -1, 2**40, 2**100, 0.5, "text", ("a", 1), {"b": [1, (2, 3)]}, {1, 2}, 1j],
        "torch": [torch.Size([1, 2]), torch.device("cpu"), torch.float32],
        "bytes": b"\x00\xff",
        "empty": torch.zeros(0, 3),
        "number": torch.tensor(3.0),
        "turned": torch.arange(6.0).reshape(2, 3).T,
    }
    torch.save(state, tmp_path / "a.pt")
    found = read_weight_file(tmp_path / "a.pt")
    assert found.keys() == state.keys()
    assert found["plain"] == state["plain"]
    assert found["torch"] == state["torch"]
    assert found["bytes"] == state["bytes"]
    for name, value in network.state_dict().items():
        assert torch.equal(found["model"][name], value)
    assert torch.equal(found["turned"], state["turned"])
    assert found["optimizer"]["param_groups"] == optimizer.state_dict()["param_groups"]
    assert found["tied"]["one"].data_ptr() == found["tied"]["two"].data_ptr()


@pytest.mark.parametrize(
    "wrong", [torch.zeros(()), torch.zeros(3), torch.zeros(0, 0), torch.zeros(1, 1, 1, 1)]
)
@pytest.mark.parametrize(
    "marks",
    [
        ("projector_equi.0.weight", "projector_equi.3.weight", "projector_equi.6.weight"),
        ("projector.fc.W1", "projector.fc.W2", "projector.fc.b2"),
        (
            "agg_token",
            "action_proj.0.weight",
            "transformer_encoder.transformer_encoder.layers.0.linear1.weight",
        ),
    ],
)
def test_shapes_of_no_network_are_refused(tmp_path, marks, wrong):
    names = (
        *marks,
        "predictor.hypernet.net.0.weight",
        "predictor.0.weight",
        "transformer_encoder.transformer_encoder",
    )
    torch.save(dict.fromkeys(names, wrong), tmp_path / "a.pt")
    try:
        found = read_published_weights(tmp_path / "a.pt")
    except TurntableError as error:
        assert "a.pt" in str(error)  # noqa: PT017
    else:  # whose weights are then compared with the method's
        assert found.method in METHODS


def test_names_that_are_no_texts_are_left_out(tmp_path):
    torch.save({1: torch.zeros(1), (1, 2): torch.zeros(1), None: torch.zeros(1)}, tmp_path / "a.pt")
    with pytest.raises(InvalidInputError, match="no checkpoint of"):
        read_published_weights(tmp_path / "a.pt")
