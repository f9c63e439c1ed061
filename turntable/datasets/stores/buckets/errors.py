"""Errors of an object store, explained to users.

Of a server's response a message quotes the error code alone: the response to a wrong signature repeats the
request, with keys and tokens.
"""

import re

from turntable.errors import StoreError, escape_text

_CREDENTIAL_REMEDIES = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS to a service account's file, or run: "
    "gcloud auth application-default login",
}
"""Advice on credentials, by the URL's scheme."""
_NO_CREDENTIALS = (
    "/latest/api/token",
    "/latest/meta-data",
    "/computeMetadata/",
    "MissingAccessKeyId",
    "Missing",
)
"""Texts in errors of obstore when it found no credentials.

As a last resort it asks the metadata service of the cloud's own machines, which does not answer elsewhere.
"""
_ENDPOINT_REMEDIES = {
    "s3": "check the network and AWS_ENDPOINT_URL",
    "gs": "check the network",
}
"""Advice if no server answers, by the URL's scheme."""
_WRONG_CREDENTIALS = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
}
_WRONG_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_STORAGE_FULL = {"XMinioStorageFull", "QuotaExceeded", "InsufficientStorage", "InsufficientCapacity"}


def is_missing(error: Exception) -> bool:
    """Return True if an error says that the object is missing, and not that the bucket is missing."""
    return isinstance(error, FileNotFoundError) and _parse_code(str(error)) != "NoSuchBucket"


def is_past_end(error: Exception) -> bool:
    """Return True if an error says that an object ends before the requested range."""
    return _parse_status(str(error)) == 416 or "Invalid range" in str(error)


def is_transient(error: Exception) -> bool:
    """Return True if the same request may succeed a moment later, though obstore itself did not retry it.

    obstore retries if no response came, and after 5xx and 429. It does not retry after responses that ended
    too early, and after uploads that no longer exist when they are completed: the response to the first
    attempt to complete them was lost.
    """
    text, _, source = str(error).partition("\n\nDebug source")
    return (
        "body" in text.partition("<")[0]
        or "kind: Interrupted" in source
        or _parse_code(text) == "NoSuchUpload"
    )


def make_store_error(location: str, error: Exception) -> StoreError:
    """Return a StoreError that says what is wrong and what to do, with control characters escaped.

    Args:
        location: URL of the store or object, without secrets.
        error: Error of obstore.
    """
    return StoreError(f"{location}: {escape_text(_explain_error(location, error))}")


def _explain_error(location: str, error: Exception) -> str:
    text, _, source = str(error).partition("\n\nDebug source")
    status, code = _parse_status(text), _parse_code(text)
    scheme, _, rest = location.partition("://")
    credentials, endpoint = _CREDENTIAL_REMEDIES.get(scheme, ""), _ENDPOINT_REMEDIES.get(scheme, "")
    response = " ".join(part for part in (str(status or ""), code) if part)
    if any(marker in text for marker in _NO_CREDENTIALS):
        return f"no credentials were found, or only half of them; {credentials}"
    if "service account" in text or "OpenCredentials" in source or "credentials" in text.lower():
        return f"the credentials cannot be used ({_extract_message(text)}); {credentials}"
    if code in _WRONG_CREDENTIALS or status == 401:
        return f"the credentials are wrong or have expired ({response}); {credentials}"
    if code in _WRONG_REGION or status in (301, 307):
        return f"the bucket is in another region ({response}); set AWS_REGION to it"
    if code in _STORAGE_FULL or status == 507:
        return f"no space is left ({response}); free some, or raise the quota, and run again (it resumes)"
    if status == 403:
        return (
            f"these credentials do not allow this ({response}); ask for permission to list, read, write and "
            f"delete objects there, or {credentials}"
        )
    if isinstance(error, FileNotFoundError) or status == 404:
        return (
            f"there is no bucket {rest.partition('/')[0]!r} ({response}); make it first, or correct its name"
        )
    if status == 429 or (status or 0) >= 500:
        return f"the server answered {response} to every try; run again later (it resumes)"
    if "HTTP error" in text:
        return f"no object store answers ({_extract_network_message(text, source)}); {endpoint}"
    return _extract_message(text)


def _parse_status(text: str) -> int | None:
    match = re.search(r"status code: (\d{3})", text)
    return int(match[1]) if match else None


def _parse_code(text: str) -> str:
    match = re.search(r"<Code>(\w+)</Code>", text)
    return match[1] if match else ""


def _extract_network_message(text: str, source: str) -> str:
    """Return the system's message about a connection, or else the client's."""
    for pattern in (r'message: "([^"]+)"', r'error: "([^"]+)"', r"kind: (Timeout)", r"(InvalidContentType)"):
        match = re.search(pattern, source)
        if match:
            return match[1]
    return _extract_message(text.rpartition("HTTP error: ")[2])


def _extract_message(text: str) -> str:
    return text.partition("<")[0].partition("\n")[0].strip()[:200]
