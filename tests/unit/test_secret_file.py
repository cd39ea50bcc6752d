"""Secrets of the configuration, read from files."""

from __future__ import annotations

import logging

import pytest

from pilothouse.config.secret_file import read_secret
from pilothouse.errors import ConfigError


def test_the_first_line_is_the_secret(tmp_path, caplog):
    """Without the space around it; a file of its owner alone is no reason to warn."""
    file = tmp_path / "secret"
    file.write_text("  s3cret \nand a note\n")
    file.chmod(0o600)
    assert read_secret(str(file), "The secret") == "s3cret"
    assert not caplog.records


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_may_read_is_a_warning(tmp_path, caplog, mode):
    """With the line to type, and without the secret."""
    file = tmp_path / "secret"
    file.write_text("s3cret")
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        assert read_secret(str(file), "The secret") == "s3cret"
    assert f"chmod 600 {file}" in caplog.text and "s3cret" not in caplog.text


def test_a_bare_name_is_a_credential_of_systemd(tmp_path, monkeypatch, caplog):
    """When there are credentials; a path with a slash is taken as it stands, and rights are systemd's matter."""
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "idp").write_text("from systemd\n")
    (tmp_path / "idp").write_text("from the folder\n")
    (tmp_path / "idp").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    assert read_secret("idp", "The secret") == "from the folder"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert read_secret("idp", "The secret") == "from systemd"
    assert read_secret("./idp", "The secret") == "from the folder"
    with pytest.raises(ConfigError, match="LoadCredential=other:"):
        read_secret("other", "The secret")
    assert not caplog.records


@pytest.mark.parametrize("content", [b"", b"\n", b"   \nsecond", b"\xffs3cret", b"s3cret" + b"x" * 5000])
def test_what_is_no_secret_is_refused_without_a_word_of_it(tmp_path, content):
    """Empty, no text, too long: one sentence with the file, and nothing of what stands in it."""
    file = tmp_path / "secret"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="The secret cannot be read from") as caught:
        read_secret(str(file), "The secret")
    assert str(file) in str(caught.value) and "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_that_is_not_there_names_the_remedy(tmp_path, monkeypatch):
    """A path, a folder, and a bare name outside systemd."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="No such file"):
        read_secret(str(tmp_path / "none"), "The secret")
    with pytest.raises(ConfigError, match="directory"):
        read_secret(str(tmp_path), "The secret")
    with pytest.raises(ConfigError, match="systemd unit"):
        read_secret("none", "The secret")
