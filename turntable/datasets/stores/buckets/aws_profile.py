"""Keys, region and endpoint from the files of the AWS command line, which obstore does not read.

Format: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
"""

from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

from turntable.errors import StoreError
from turntable.home import expand_home, find_home

_OTHER_CREDENTIAL_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
"""Variables that give credentials in another way.

If one of them is set, the files' credentials are not used.
"""
_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
"""Options of a profile that hold credentials, with obstore's names for them."""
_SETTINGS = {"region": ("AWS_REGION", "AWS_DEFAULT_REGION"), "endpoint_url": ("AWS_ENDPOINT_URL",)}
"""Further options of a profile, with the environment variables that take precedence over them."""


def read_profile_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the profile that the environment does not give, by obstore's names.

    Without a profile there are none.

    Args:
        environ: Environment variables. AWS_PROFILE names the profile (else "default"),
            AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name the files.

    Raises:
        StoreError: The files cannot be read, or the named profile has no keys in them.
    """
    name = environ.get("AWS_PROFILE", "")
    keys = _read_section(_find_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", environ), name or "default")
    config = _read_section(
        _find_file("AWS_CONFIG_FILE", "config", environ), f"profile {name}" if name else "default"
    )
    settings = {
        option.removesuffix("_url"): config[option]
        for option, variables in _SETTINGS.items()
        if option in config and not any(environ.get(variable) for variable in variables)
    }
    if any(environ.get(variable) for variable in _OTHER_CREDENTIAL_VARIABLES):
        return settings
    credentials = {setting: {**config, **keys}.get(option, "") for option, setting in _KEYS.items()}
    if name and not credentials["access_key_id"]:
        raise StoreError(
            f"AWS_PROFILE={name}: no such profile with an access key; correct the name, or if it signs in "
            f'another way, run: eval "$(aws configure export-credentials --profile {name} --format env)"'
        )
    return settings | {option: value for option, value in credentials.items() if value}


def _find_file(variable: str, name: str, environ: Mapping[str, str]) -> Path | None:
    """Return the path of one of the files, which need not exist, or None if this user has no home."""
    if named := environ.get(variable):
        return expand_home(named)
    home = find_home(environ)
    return None if home is None else home / ".aws" / name


def _read_section(path: Path | None, name: str) -> dict[str, str]:
    if path is None:
        return {}
    # Keys may contain percent signs, which must not be taken for references to other values.
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (ConfigError, UnicodeDecodeError, OSError):
        # The parser's own message is left out: it quotes lines of the file, which hold keys.
        raise StoreError(f"{path}: cannot be read as a file of AWS profiles; correct it") from None
    return dict(parser[name]) if parser.has_section(name) else {}
