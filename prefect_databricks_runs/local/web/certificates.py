"""Certificates for https on this machine, made anew each time."""

from __future__ import annotations

import datetime
import weakref
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

NAMES = ("127.0.0.1", "localhost")
# Apple refuses certificates that are good for more than 825 days.
_VALID_FOR = datetime.timedelta(days=365)
_CLOCKS_DIFFER_BY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class CertificateFiles:
    """Where the certificates are.

    Attributes:
        ca_file: the certificate of the authority, which clients are to trust. Its key is not kept anywhere: nobody
            can make another certificate with it.
        server_file: the server's key and certificate.
    """

    ca_file: Path
    server_file: Path


class Certificates:
    """A certificate for 127.0.0.1 and localhost and the authority behind it, in a temporary folder."""

    def __init__(self) -> None:
        folder = Path(mkdtemp(prefix="databricks-certificates-"))
        self.remove = weakref.finalize(self, rmtree, folder, ignore_errors=True)
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
    authority.cert_pem.write_to_path(str(files.ca_file))
    server.private_key_and_cert_chain_pem.write_to_path(str(files.server_file))
    return files
