"""What people do with their own account by the forms of its page."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, post
from litestar.response import Response

from pilothouse.errors import BadValue, NotThere, PilothouseError
from pilothouse.hub.logging_in import account_of, go, noted, start_session
from pilothouse.hub.needs import needs
from pilothouse.hub.own_tokens import WantedToken, make_token
from pilothouse.hub.pages.account import NewToken, TokenForm, shown
from pilothouse.hub.pages.forms import form_of
from pilothouse.hub.pages.login_forms import Typed, new_password, typed
from pilothouse.hub.pages.people_said import refused
from pilothouse.hub.proving import Asker
from pilothouse.hub.site import address_of, real_site_of, visitor_of
from pilothouse.rights import Deed


@post("/account/password", include_in_schema=False, status_code=303, opt=needs(Deed.OWN))
async def change_password(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Change the password, for whoever knows it; this browser gets a new session and all others end."""
    site, who = real_site_of(request), account_of(request)
    form = await typed(request)
    try:
        await _check_current(request, form)
        stored = await site.passwords.hash(new_password(form, who))
        await site.people.persons.set_password(who, stored)
    except PilothouseError as error:
        return await _refused(request, error)
    answer = go("/account?done=password")
    await start_session(request, answer, who, "password", proof=stored)
    await noted(request, "password.set", thing=who, detail="All other sessions of theirs ended.")
    return answer


async def _check_current(request: Request[Any, Any, Any], form: Typed) -> None:
    """Raise unless they know the password that they have. Somebody without one may set the first."""
    site, who = real_site_of(request), account_of(request)
    person = await site.people.persons.get(who)
    if person is not None and person.has_password:
        asker = Asker(address_of(request), "page", who)
        await site.proving.prove(who, form.current, asker, refusal="password")


@post("/account/sessions", include_in_schema=False, status_code=303, opt=needs(Deed.OWN))
async def end_sessions(request: Request[Any, Any, Any]) -> Response[bytes]:
    """End one session, or all but this one."""
    people, who, id = real_site_of(request).people, account_of(request), (await form_of(request)).text("id")
    try:
        if id == "others":
            ended = await people.sessions.end_all(who, but=visitor_of(request).id)
            await noted(request, "session.ended", thing=who, detail=f"All others, {ended} of them.")
            return go("/account?done=others")
        if not await people.sessions.end_id(who, id):
            raise NotThere("That session has ended already", remedy="Nothing more is to be done")
        await noted(request, "session.ended", thing=who)
    except PilothouseError as error:
        return await _refused(request, error)
    return go("/account?done=session")


@post("/account/tokens", include_in_schema=False, status_code=200, opt=needs(Deed.OWN))
async def new_token(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Make a token, which the answer shows this once."""
    who, form = account_of(request), await form_of(request)
    filled = TokenForm(**{name: form.text(name) for name in TokenForm.__struct_fields__})
    try:
        made = await make_token(request, who, _wanted(filled), "page")
    except PilothouseError as error:
        return await _refused(request, error, filled)
    url = real_site_of(request).url
    return await shown(
        request,
        made=NewToken(
            secret=made.secret,
            name=made.token.name,
            curl=f'curl -H "Authorization: Bearer {made.secret}" {url}/api/things',
            login=f"pilothouse login {url} --token-stdin",
        ),
    )


def _wanted(form: TokenForm) -> WantedToken:
    """What was filled in; raises BadValue."""
    fields = {"name": form.name, "scope": form.scope or "read", "only": form.only, "days": form.days or "90"}
    try:
        return msgspec.convert(fields, WantedToken, strict=False)
    except msgspec.ValidationError as error:
        raise BadValue("Such a token cannot be made", why=str(error), remedy="Choose from the lists") from None


@post("/account/tokens/end", include_in_schema=False, status_code=303, opt=needs(Deed.OWN))
async def end_token(request: Request[Any, Any, Any]) -> Response[bytes]:
    """End a token."""
    people, who, id = real_site_of(request).people, account_of(request), (await form_of(request)).text("id")
    try:
        if not await people.tokens.end(id, who):
            raise NotThere("That token has ended already", remedy="Nothing more is to be done")
        await noted(request, "token.ended", thing=who, detail=f"Token {id}.")
    except PilothouseError as error:
        return await _refused(request, error)
    return go("/account?done=token")


async def _refused(
    request: Request[Any, Any, Any], error: PilothouseError, filled: TokenForm | None = None
) -> Response[bytes]:
    said, status = refused(error)
    return await shown(request, said=said, typed=filled, status=status)
