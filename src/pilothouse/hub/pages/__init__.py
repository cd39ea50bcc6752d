"""The pages that people see: one module a page, each a struct of what it shows and a function that builds it."""

from litestar.handlers import HTTPRouteHandler

from pilothouse.hub.pages.ledger import ledger_page
from pilothouse.hub.pages.node import node_page
from pilothouse.hub.pages.overview import overview_page
from pilothouse.hub.pages.reference import reference_page
from pilothouse.hub.pages.thing import thing_page

page_routes: list[HTTPRouteHandler] = [overview_page, node_page, thing_page, ledger_page, reference_page]

__all__ = ["page_routes"]
