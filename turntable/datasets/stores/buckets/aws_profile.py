"""Keys, region and endpoint from the files of the AWS command line, which obstore does not read.

Format: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
"""

from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

from turntable.errors import StoreError

_ELSEWHERE = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
"""Who has set one of these has given credentials in another way, and the files give none."""
_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
_SETTINGS = {"region": ("AWS_REGION", "AWS_DEFAULT_REGION"), "endpoint_url": ("AWS_ENDPOINT_URL",)}


def profile_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """What the profile says that the environment does not, by obstore's names; nothing without a profile.

    Args:
        environ: AWS_PROFILE names the profile ("default"), AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE
            the files.

    Raises:
        StoreError: The files cannot be read, or the profile was named and has no keys in them.
    """
    name = environ.get("AWS_PROFILE", "")
    home = Path(environ.get("HOME", "~")).expanduser() / ".aws"
    keys = _section(
        Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials"), name or "default"
    )
    config = _section(
        Path(environ.get("AWS_CONFIG_FILE") or home / "config"), f"profile {name}" if name else "default"
    )
    found = {
        option.removesuffix("_url"): config[option]
        for option, variables in _SETTINGS.items()
        if option in config and not any(environ.get(variable) for variable in variables)
    }
    if any(environ.get(variable) for variable in _ELSEWHERE):
        return found
    credentials = {ours: {**config, **keys}.get(theirs, "") for theirs, ours in _KEYS.items()}
    if name and not credentials["access_key_id"]:
        raise StoreError(
            f"AWS_PROFILE={name}: no such profile with an access key; correct the name, or where it has "
            f'another way in run: eval "$(aws configure export-credentials --profile {name} --format env)"'
        )
    return found | {option: value for option, value in credentials.items() if value}


def _section(path: Path, name: str) -> dict[str, str]:
    # Keys may hold a percent sign, which is no reference to another value.
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (ConfigError, UnicodeDecodeError, OSError):
        # Not what the parser says of it: it quotes lines, and those hold keys.
        raise StoreError(f"{path}: cannot be read as a file of AWS profiles; correct it") from None
    return dict(parser[name]) if parser.has_section(name) else {}
