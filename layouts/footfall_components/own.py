"""What our components share: the namespace, and props that are read from the signature of `__init__`."""

from __future__ import annotations

import inspect
from typing import Any

from dash.development.base_component import Component

Id = str | dict[str, str]


class OwnComponent(Component):
    """A component whose React function is `window.footfall_components.NAME`, with NAME the name of the class.

    The parameters of `__init__` are the props; a prop that is None is left out.
    """

    _namespace = "footfall_components"

    def __init_subclass__(cls) -> None:
        cls._type = cls.__name__
        cls._prop_names = list(inspect.signature(cls.__init__).parameters)[1:]
        cls._children_props = []
        cls._valid_wildcard_attributes = []
        cls.available_wildcard_properties = []

    def __init__(self, **props: Any) -> None:
        given = {name: value for name, value in props.items() if value is not None}
        super().__init__(**given)  # type: ignore[no-untyped-call]
