"""Certificates for https on this machine, new for each workspace."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from ..task_child.regular_files import write_regular_file

NAMES = ("127.0.0.1", "localhost")
# Apple refuses certificates that are valid for more than 825 days.
_VALID_FOR = datetime.timedelta(days=365)
_CLOCKS_DIFFER_BY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class CertificateFiles:
    """The files of the certificates.

    Attributes:
        ca_file: The certificate of the authority, for clients to trust. Its key is not kept, so no other certificate
            can be made with it.
        server_file: The server's key and certificate.
    """

    ca_file: Path
    server_file: Path


class Certificates:
    """A certificate for 127.0.0.1 and localhost and the authority behind it.

    Args:
        folder: The folder for the files, which only this user can read.
    """

    def __init__(self, folder: Path) -> None:
        self.files = _make(folder)


def _make(folder: Path) -> CertificateFiles:
    import trustme

    files = CertificateFiles(folder / "ca.pem", folder / "server.pem")
    authority = trustme.CA(organization_name="Local workspace")
    today = datetime.datetime.now(datetime.timezone.utc)
    server = authority.issue_cert(
        *NAMES,
        organization_name="Local workspace",
        not_before=today - _CLOCKS_DIFFER_BY,
        not_after=today + _VALID_FOR,
    )
    write_regular_file(files.ca_file, authority.cert_pem.bytes(), 0o600)
    write_regular_file(files.server_file, server.private_key_and_cert_chain_pem.bytes(), 0o600)
    return files
