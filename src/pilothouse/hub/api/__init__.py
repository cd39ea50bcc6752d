"""The REST API: one file a noun."""

from litestar.types import ControllerRouterHandler

from pilothouse.hub.api.account import get_me, log_in, log_out
from pilothouse.hub.api.actions import call_action, get_action
from pilothouse.hub.api.ca import get_ca
from pilothouse.hub.api.confirmations import ask_confirmation
from pilothouse.hub.api.description import get_description
from pilothouse.hub.api.events import get_events
from pilothouse.hub.api.guests import end_guest, get_guests, make_guest
from pilothouse.hub.api.health import get_health
from pilothouse.hub.api.history import get_history
from pilothouse.hub.api.lanes import cancel_command, get_lanes
from pilothouse.hub.api.ledger import get_ledger, get_line
from pilothouse.hub.api.nodes import get_nodes
from pilothouse.hub.api.people import add_person, change_person, get_people, get_person, make_link, remove_person
from pilothouse.hub.api.people_open import end_session_of, end_token_of, get_sessions_of, get_tokens_of
from pilothouse.hub.api.people_rights import get_rights
from pilothouse.hub.api.properties import get_property, set_property
from pilothouse.hub.api.sessions import end_session, get_sessions
from pilothouse.hub.api.stands import change_lease, get_stand, get_stands
from pilothouse.hub.api.stats import get_stats
from pilothouse.hub.api.stop import get_stop, lift_stop, press_stop
from pilothouse.hub.api.things import get_thing, get_things
from pilothouse.hub.api.tokens import end_token, get_tokens, post_token

api_routes: list[ControllerRouterHandler] = [
    get_nodes,
    get_things,
    get_thing,
    get_description,
    get_property,
    set_property,
    get_action,
    call_action,
    ask_confirmation,
    cancel_command,
    get_lanes,
    get_stop,
    press_stop,
    lift_stop,
    get_stands,
    get_stand,
    change_lease,
    get_history,
    get_events,
    get_ledger,
    get_line,
    get_stats,
    get_health,
    get_ca,
    get_me,
    log_in,
    log_out,
    get_sessions,
    end_session,
    get_tokens,
    post_token,
    end_token,
    get_people,
    get_person,
    add_person,
    change_person,
    remove_person,
    make_link,
    get_sessions_of,
    end_session_of,
    get_tokens_of,
    end_token_of,
    get_rights,
    get_guests,
    make_guest,
    end_guest,
]

__all__ = ["api_routes"]
