"""PingHome's clients in all forms of address."""

import pytest

from contract.client import Client, Form


@pytest.fixture(params=Form, ids=lambda form: form.name)
def call(client: Client, request: pytest.FixtureRequest) -> Client:
    """The first organisation, addressing in each form."""
    return client.by(request.param)
