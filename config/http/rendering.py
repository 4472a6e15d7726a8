"""JSON as the contract has it: money as strings, times in UTC."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder


class ContractEncoder(JSONEncoder):
    """DRF's encoder would write a decimal no serializer has seen as a float."""

    def default(self, o: Any) -> Any:
        if isinstance(o, Decimal):
            return str(o)
        if isinstance(o, datetime) and o.tzinfo is not None:
            return super().default(o.astimezone(UTC))
        return super().default(o)


class ContractJSONRenderer(JSONRenderer):
    """DRF's `DEFAULT_RENDERER_CLASSES`."""

    encoder_class = ContractEncoder
