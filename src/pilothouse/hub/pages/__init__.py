"""The pages that people see: one module a page, each a struct of what it shows and a function that builds it."""

from litestar.handlers import HTTPRouteHandler

from pilothouse.hub.pages.command import command_page
from pilothouse.hub.pages.ledger import ledger_page
from pilothouse.hub.pages.node import node_page
from pilothouse.hub.pages.overview import overview_page
from pilothouse.hub.pages.reference import reference_page
from pilothouse.hub.pages.stand import lease_form, stand_page, stands_page
from pilothouse.hub.pages.stops import lift_stop, press_stop, stop_page
from pilothouse.hub.pages.thing import thing_page

page_routes: list[HTTPRouteHandler] = [
    overview_page,
    node_page,
    thing_page,
    stands_page,
    stand_page,
    lease_form,
    ledger_page,
    command_page,
    stop_page,
    press_stop,
    lift_stop,
    reference_page,
]

__all__ = ["page_routes"]
