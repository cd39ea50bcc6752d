"""A package, so that Chromium and the stack end when its last test has: Playwright's loop would be in others' way."""
