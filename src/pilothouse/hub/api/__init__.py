"""The REST API: one file a noun."""

from litestar.types import ControllerRouterHandler

from pilothouse.hub.api.actions import call_action, get_action
from pilothouse.hub.api.confirmations import ask_confirmation
from pilothouse.hub.api.description import get_description
from pilothouse.hub.api.events import get_events
from pilothouse.hub.api.health import get_health
from pilothouse.hub.api.history import get_history
from pilothouse.hub.api.lanes import cancel_command, get_lanes
from pilothouse.hub.api.ledger import get_ledger, get_line
from pilothouse.hub.api.nodes import get_nodes
from pilothouse.hub.api.properties import get_property, set_property
from pilothouse.hub.api.sessions import log_in, log_out
from pilothouse.hub.api.stands import change_lease, get_stand, get_stands
from pilothouse.hub.api.stats import get_stats
from pilothouse.hub.api.stop import get_stop, lift_stop, press_stop
from pilothouse.hub.api.things import get_thing, get_things

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
    log_in,
    log_out,
]

__all__ = ["api_routes"]
