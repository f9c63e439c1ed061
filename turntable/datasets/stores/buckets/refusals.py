"""What an object store's refusal means, for users.

Of a server's answer a message has the code alone: the answer to a wrong signature quotes the request, with
keys and tokens.
"""

import re

from turntable.errors import StoreError, escaped

_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS to a service account's file, or run: "
    "gcloud auth application-default login",
}
_NO_CREDENTIALS = (
    "/latest/api/token",
    "/latest/meta-data",
    "/computeMetadata/",
    "MissingAccessKeyId",
    "Missing",
)
"""The last resort is to ask the cloud's own machines for credentials, which answer on such machines alone."""
_ENDPOINTS = {
    "s3": "look at the network and at AWS_ENDPOINT_URL",
    "gs": "look at the network",
}
_WRONG_KEYS = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
}
_WRONG_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_FULL = {"XMinioStorageFull", "QuotaExceeded", "InsufficientStorage", "InsufficientCapacity"}


def is_absent(error: Exception) -> bool:
    """Whether an error says that there is no such object, and not that there is no such bucket."""
    return isinstance(error, FileNotFoundError) and _code(str(error)) != "NoSuchBucket"


def is_behind_the_end(error: Exception) -> bool:
    """Whether an error says that an object ends before the range asked for."""
    return _status(str(error)) == 416 or "Invalid range" in str(error)


def may_pass(error: Exception) -> bool:
    """Whether the same request may succeed a moment later, though obstore itself did not try it again.

    Those are answers that ended too early (it tries again where no answer came, and after 5xx and 429), and
    an upload that is gone when it is completed: the first answer to that was lost.
    """
    text, _, source = str(error).partition("\n\nDebug source")
    return "body" in text.partition("<")[0] or "kind: Interrupted" in source or _code(text) == "NoSuchUpload"


def store_error(place: str, error: Exception) -> StoreError:
    """Return a StoreError that says what is wrong at a place and what to do, with no word to a terminal."""
    return StoreError(f"{place}: {escaped(_meaning(place, error))}")


def _meaning(place: str, error: Exception) -> str:
    text, _, source = str(error).partition("\n\nDebug source")
    status, code = _status(text), _code(text)
    scheme, _, rest = place.partition("://")
    credentials, endpoint = _CREDENTIALS.get(scheme, ""), _ENDPOINTS.get(scheme, "")
    answered = " ".join(part for part in (str(status or ""), code) if part)
    if any(words in text for words in _NO_CREDENTIALS):
        return f"no (or only half of the) credentials were found; {credentials}"
    if "service account" in text or "OpenCredentials" in source or "credentials" in text.lower():
        return f"the credentials cannot be used ({_first_words(text)}); {credentials}"
    if code in _WRONG_KEYS or status == 401:
        return f"the credentials are wrong or have expired ({answered}); {credentials}"
    if code in _WRONG_REGION or status in (301, 307):
        return f"the bucket is in another region ({answered}); set AWS_REGION to it"
    if code in _FULL or status == 507:
        return (
            f"there is no room left ({answered}); free some, or raise the quota, and run again (it resumes)"
        )
    if status == 403:
        return (
            f"these credentials may not do that ({answered}); ask for permission to list, read, write and "
            f"delete objects there, or {credentials}"
        )
    if isinstance(error, FileNotFoundError) or status == 404:
        return (
            f"there is no bucket {rest.partition('/')[0]!r} ({answered}); make it first, or correct its name"
        )
    if status == 429 or (status or 0) >= 500:
        return f"the server answered {answered} to every try; run again later (it resumes)"
    if "HTTP error" in text:
        return f"nobody answers as an object store ({_network_words(text, source)}); {endpoint}"
    return _first_words(text)


def _status(text: str) -> int | None:
    found = re.search(r"status code: (\d{3})", text)
    return int(found[1]) if found else None


def _code(text: str) -> str:
    found = re.search(r"<Code>(\w+)</Code>", text)
    return found[1] if found else ""


def _network_words(text: str, source: str) -> str:
    """What the system said of a connection; else what the client said."""
    for pattern in (r'message: "([^"]+)"', r'error: "([^"]+)"', r"kind: (Timeout)", r"(InvalidContentType)"):
        found = re.search(pattern, source)
        if found:
            return found[1]
    return _first_words(text.rpartition("HTTP error: ")[2])


def _first_words(text: str) -> str:
    return text.partition("<")[0].partition("\n")[0].strip()[:200]
