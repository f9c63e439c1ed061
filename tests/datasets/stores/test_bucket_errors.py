import re
from pathlib import Path

import pytest

from tests.support.s3_server import KEY, READ_ONLY_KEY, SECRET, Servers
from turntable.datasets import open_store
from turntable.datasets.stores.buckets.aws_profile import read_profile_settings
from turntable.errors import StoreError

# What is wrong is said before any work, once, without secrets.


def refusal(url: str) -> str:
    store = open_store(url)
    with pytest.raises(StoreError) as caught:
        store.check_writable()
    text = str(caught.value)
    assert text.startswith(url)
    assert len(text) < 400
    for secret in (SECRET, "Credential=", "Signature"):
        assert secret not in text + repr(store)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return text


def test_wrong_credentials(s3_server: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3_server()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    assert re.search(r"wrong or have expired \(403 InvalidAccessKeyId\); set AWS_ACCESS", refusal(bucket.url))
    assert bucket.counts() == {"PUT": 1, "all": 1}  # one try


def test_no_permission(s3_server: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3_server()
    open_store(bucket.url).write("a", b"1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", READ_ONLY_KEY)
    assert re.search(r"do not allow this \(403 AccessDenied\); ask for permission", refusal(bucket.url))
    assert open_store(bucket.url).read("a", 1 << 24) == b"1"


def test_missing_bucket(s3_server: Servers) -> None:
    s3_server()
    assert "there is no bucket 'no-such-bucket' (404 NoSuchBucket); make it" in refusal(
        "s3://no-such-bucket/a"
    )
    for use in (lambda store: store.list(), lambda store: store.read("a", 1 << 24)):
        with pytest.raises(StoreError, match="there is no bucket 'no-such-bucket'"):
            use(open_store("s3://no-such-bucket/a"))


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "both"])
def test_missing_credentials(s3_server: Servers, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    bucket = s3_server()
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")  # this machine is none of the cloud's
    monkeypatch.setenv("HOME", "/nonexistent")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if missing in (name, "both"):
            monkeypatch.delenv(name)
    assert "credentials were found, or only half of them; set AWS_ACCESS_KEY_ID and" in refusal(bucket.url)


def test_a_server_that_is_down_or_is_none(s3_server: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3_server(fail_every=1)
    assert "the server answered 503 SlowDown to every try; run again later" in refusal(bucket.url)
    assert bucket.counts()["PUT"] == 4
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert re.search(
        r"no object store answers .*\(Connection refused\); check the network", refusal(bucket.url)
    )
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    assert "http://127.0.0.1:1 is not encrypted" in refusal(bucket.url)


def test_a_server_without_room(s3_server: Servers) -> None:
    bucket = s3_server(fail_every=1, how="full")
    assert "no space is left (507 XMinioStorageFull); free some" in refusal(bucket.url)


def test_a_key_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "no.json"))
    assert re.search(
        r"credentials cannot be used \(.*no\.json.*\); set GOOGLE_APPL", refusal("gs://some-bucket/x")
    )
    (tmp_path / "no.json").write_text(f'{{"private_key": "{SECRET}"')
    assert "credentials cannot be used" in refusal("gs://some-bucket/x")


# Profiles of the AWS command line.

PROFILES = f"""[default]
aws_access_key_id = other
aws_secret_access_key = 100%other

[lab]
aws_access_key_id = {KEY}
aws_secret_access_key = {SECRET}
aws_session_token = token
"""


@pytest.fixture
def profiles(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(PROFILES)
    (tmp_path / ".aws/config").write_text(
        "[default]\nregion = eu-west-1\n[profile lab]\nregion = us-west-2\n"
    )
    return {"HOME": str(tmp_path)}


def test_profiles_fill_what_the_environment_leaves(profiles: dict[str, str]) -> None:
    assert read_profile_settings(profiles) == {
        "region": "eu-west-1",
        "access_key_id": "other",
        "secret_access_key": "100%other",
    }
    lab = read_profile_settings(profiles | {"AWS_PROFILE": "lab"})
    assert lab["region"], lab["session_token"] == ("us-west-2", "token")
    assert read_profile_settings(profiles | {"AWS_ACCESS_KEY_ID": "x", "AWS_REGION": "y"}) == {}
    assert read_profile_settings({"HOME": "/nonexistent"}) == {}


def test_a_store_opens_by_profile(
    s3_server: Servers,
    profiles: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = s3_server()
    for name, value in (profiles | {"AWS_PROFILE": "lab"}).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name)
    open_store(bucket.url).check_writable()
    monkeypatch.setenv("AWS_PROFILE", "nobody's")
    with pytest.raises(StoreError, match="AWS_PROFILE=nobody's: no such profile"):
        open_store(bucket.url).list()


def test_a_spoilt_profile_file_is_named_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text(f"{SECRET} without a section\n")
    with pytest.raises(StoreError, match="cannot be read as a file of AWS profiles") as caught:
        read_profile_settings({"AWS_SHARED_CREDENTIALS_FILE": str(path), "HOME": str(tmp_path)})
    assert SECRET not in str(caught.value)
