"""The certificate authorities that a server's certificate is checked against.

A company may sign the certificates of its servers, or of its proxy, with an authority of its own. The usual
variables name a file or folder with its certificate.
"""

import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from turntable.errors import StoreError
from turntable.home import expand_home

_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that name files or folders of certificates. The authorities of each that is set are trusted."""
_REPLACING_VARIABLES = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
"""Variables that also leave out the system's authorities, as with the programs they are named after."""
_UNTRUSTED_CODES = {18, 19, 20, 21}
"""OpenSSL's codes of a certificate that no known authority has signed."""


def make_tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return a context that trusts the authorities that the environment names, or else the system's.

    Raises:
        StoreError: A variable names no file or folder of certificates. The message names it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    variables = _find_variables(environ)
    if not _REPLACING_VARIABLES.intersection(variables):
        context.load_default_certs()
    for variable in variables:
        for path in (
            environ[variable].split(os.pathsep) if variable == "SSL_CERT_DIR" else [environ[variable]]
        ):
            _load_authorities(context, variable, expand_home(path))
    return context


def explain_untrusted_certificate(error: ssl.SSLCertVerificationError, environ: Mapping[str, str]) -> str:
    """Return why a server's certificate is refused, and what to do about it."""
    reason = f"its certificate is not trusted ({error.verify_message or error.reason})"
    if error.verify_code not in _UNTRUSTED_CODES:
        return f"{reason}; check the URL and this machine's clock, or ask the administrator of the server"
    variables = _find_variables(environ)
    remedy = (
        f"it was checked against {', '.join(f'{name}={environ[name]}' for name in variables)}: if an "
        "authority of your company signed it, add that authority's certificate there"
        if variables
        else "it was checked against the system's authorities: if one of your company signed it, set "
        "REQUESTS_CA_BUNDLE or SSL_CERT_FILE to the file with that authority's certificate (PEM)"
    )
    return f"{reason}; {remedy}"


def _find_variables(environ: Mapping[str, str]) -> list[str]:
    return [name for name in _VARIABLES if environ.get(name)]


def _load_authorities(context: ssl.SSLContext, variable: str, path: Path) -> None:
    try:
        if not path.is_dir():
            context.load_verify_locations(cafile=path)
        elif not _load_folder(context, path):
            raise StoreError(
                f"{variable}={path}: no file in this folder is a certificate (PEM); correct {variable}"
            )
    except ssl.SSLError:
        raise StoreError(f"{variable}={path}: not a file of certificates (PEM); correct {variable}") from None
    except OSError as error:
        raise StoreError(f"{variable}={path}: {os.strerror(error.errno or 0)}; correct {variable}") from None


def _load_folder(context: ssl.SSLContext, folder: Path) -> int:
    """Load every certificate of a folder, whatever its name, and return the number of files loaded.

    OpenSSL itself finds only files that are named by a hash of their subject.
    """
    num_loaded = 0
    for path in sorted(folder.iterdir()):
        with suppress(ssl.SSLError, OSError):
            context.load_verify_locations(cafile=path)
            num_loaded += 1
    return num_loaded
