"""Who may do what, and where. Pure: no I/O, no session, no web.

`docs/reference/rights.md` is made from the table in `deeds`.
"""

from pilothouse.rights.deeds import TABLE, Deed, Rule
from pilothouse.rights.grants import FORM, Grant, parse_grant, parse_grants, parse_role
from pilothouse.rights.names import GUEST, MACHINE, check_person
from pilothouse.rights.places import EVERYWHERE, SITE, Place, check_where, covers
from pilothouse.rights.refusals import MayNot, refusal
from pilothouse.rights.rights import NOBODY, Rights, Through, may, role_anywhere, role_at
from pilothouse.rights.roles import Role, lesser

__all__ = [
    "EVERYWHERE",
    "FORM",
    "GUEST",
    "MACHINE",
    "NOBODY",
    "SITE",
    "TABLE",
    "Deed",
    "Grant",
    "MayNot",
    "Place",
    "Rights",
    "Role",
    "Rule",
    "Through",
    "check_person",
    "check_where",
    "covers",
    "lesser",
    "may",
    "parse_grant",
    "parse_grants",
    "parse_role",
    "refusal",
    "role_anywhere",
    "role_at",
]
