"""The samples are complete: what has none is not covered by the tests of the wire, the schemas and the golden files."""

import metier_contracts
import pytest
from metier_contracts import TASKS, Contract, FitRequest, Request, Response

from .samples import EXCHANGES, RECORDS

BASES = {Contract, Request, Response, FitRequest}
PUBLIC = [
    value
    for value in (getattr(metier_contracts, name) for name in metier_contracts.__all__)
    if isinstance(value, type) and issubclass(value, Contract) and value not in BASES
]


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_every_public_record_has_a_sample(kind: type[Contract]) -> None:
    assert any(type(record) is kind for record in RECORDS.values())


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_an_exchange_of_its_own_name(name: str) -> None:
    exchange = EXCHANGES[name]
    assert type(exchange.request) is TASKS[name].request
    assert type(exchange.response) is TASKS[name].response


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
def test_every_sample_response_keeps_the_contract(exchange) -> None:
    assert exchange.task.violation(exchange.request, exchange.response, exchange.capabilities) is None


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
def test_every_sample_card_serves_its_request(exchange) -> None:
    assert exchange.capabilities.unmet(exchange.request.needs()) == []
