"""Which passwords are good enough. Pure.

Length counts, and that it is none of those that are tried first; signs of several kinds are not asked for.
"""

from __future__ import annotations

from pilothouse.errors import BadValue

LEAST = 10
"""Characters that a password has at least."""
LONGEST = 200
"""Characters that a password may have."""
_DIFFERENT = 4
_LISTED = """
0123456789 1234567890 0987654321 9876543210 1234512345 1234554321 12345678910 123456789a 123456789q 1q2w3e4r5t
1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedcrfv qwertyuiop qwertyuiop1 qwerty12345
qwerty123456 qwerty1234 asdfghjkl1 asdfghjkl123 zxcvbnm123 abcdefghij abcdefghijk abcd123456 abc1234567 aa12345678
a123456789 a1b2c3d4e5 password12 password123 password1234 password12345 passwort123 passw0rd123 p@ssword123
p@ssw0rd123 mypassword letmein123 welcome123 welcome1234 administrator admin12345 admin123456 changeme123
iloveyou12 iloveyou123 iloveyou1234 sunshine123 princess123 football123 baseball123 superman123 trustno1trustno1
raspberry1 raspberry123 raspberrypi pilothouse pilothouse1 pilothouse123 laboratory laboratory1
"""
_COMMON = frozenset(_LISTED.split())
"""Those of ten characters and more that lists of stolen passwords have most often, and what our own name suggests."""


def check_password(text: str, name: str) -> None:
    """Raise BadValue when it is no good password for the person of this name; the error does not repeat it."""
    small = text.casefold().strip()
    if len(text) < LEAST:
        raise BadValue(
            f"A password needs {LEAST} characters",
            why=f"this one has {len(text)}",
            remedy="Some words that have nothing to do with one another are easy to keep in mind",
        )
    if len(text) > LONGEST:
        raise BadValue(f"A password may have {LONGEST} characters", why=f"this one has {len(text)}")
    if text != text.strip():
        raise BadValue("A password cannot begin or end with a blank", why="it is lost too easily where it is typed")
    if name and small.strip("0123456789!.-_ ") in (name.casefold(), name.casefold() * 2):
        raise BadValue("This password is the name", why="it is the first that anybody tries", remedy="Choose another")
    if small in _COMMON:
        raise BadValue("This password is one of the most common", why="they are tried first", remedy="Choose another")
    if len(set(small)) < _DIFFERENT:
        raise BadValue("This password repeats itself", why="it is soon guessed", remedy="Choose another")
