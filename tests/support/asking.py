"""Means to ask a service: a client of an application, and a token in a header."""

from contextlib import contextmanager

from starlette.testclient import TestClient

from turntable.service import ServiceSettings, build_catalog, create_app

KEYLESS = ServiceSettings()


@contextmanager
def client_of(folder, settings=KEYLESS, base="http://localhost", links_under=()):
    app = create_app(build_catalog([folder], links_under), settings)
    with TestClient(app, base, follow_redirects=False) as client:
        yield client


def bearer(text):
    return {"Authorization": f"Bearer {text}"}
