"""The pages that people see: one module a page, each a struct of what it shows and a function that builds it."""

from litestar.handlers import HTTPRouteHandler

from pilothouse.hub.pages.account import account_page
from pilothouse.hub.pages.account_acts import change_password, end_sessions, end_token, new_token
from pilothouse.hub.pages.command import command_page
from pilothouse.hub.pages.ledger import ledger_page
from pilothouse.hub.pages.login import log_in, log_out, login_page
from pilothouse.hub.pages.login_guest import guest_page, look_on
from pilothouse.hub.pages.node import node_page
from pilothouse.hub.pages.overview import overview_page
from pilothouse.hub.pages.people import people_form, people_page
from pilothouse.hub.pages.people_person_forms import person_form, person_page
from pilothouse.hub.pages.people_rights import rights_page
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
    login_page,
    log_in,
    log_out,
    guest_page,
    look_on,
    account_page,
    change_password,
    end_sessions,
    new_token,
    end_token,
    people_page,
    people_form,
    rights_page,
    person_page,
    person_form,
]

__all__ = ["page_routes"]
