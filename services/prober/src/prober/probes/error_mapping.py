"""What went wrong, as a verdict and a sentence: the target's fault, ours, or policy (reliability.md 3.2)."""

import errno
import os
import socket
import ssl

import structlog

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import LOCAL_ERRNOS, AddressForbidden

log = structlog.get_logger()

# EAI_NODATA and EAI_NONAME come from the name's own servers; every other code is the resolver's trouble.
_NO_SUCH_NAME = {socket.EAI_NONAME, socket.EAI_NODATA}
_WORDS = {
    errno.ECONNREFUSED: "refused the connection",
    errno.ECONNRESET: "reset the connection",
    errno.ECONNABORTED: "reset the connection",
    errno.EPIPE: "reset the connection",
    errno.ETIMEDOUT: "did not answer the connection",
    errno.EHOSTUNREACH: "cannot be reached: no route to host",
}


class Broken(Exception):
    """The target broke the protocol; the text says how."""


_NO_ISSUER = {20, 21}  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, …_TO_VERIFY_LEAF_SIGNATURE


def distrust(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is not accepted, in OpenSSL's words, and in ours where those tell an administrator nothing."""
    words = error.verify_message.rstrip(".")
    if error.verify_code in _NO_ISSUER:
        words += ": the server does not send an intermediate certificate, or its authority is private"
    return words


class OwnFault(Exception):
    """What stands between us and the target failed; the text says what."""


def explain(error: Exception) -> tuple[Verdict, str]:  # noqa: C901, PLR0911  # a table of cases
    """The verdict and the sentence for what stopped a probe; an error nobody foresaw is ours."""
    match error:
        case AddressForbidden():
            return Verdict.blocked, str(error)
        case Broken():
            return Verdict.target_fail, str(error)
        case OwnFault():
            return Verdict.probe_error, f"prober: {error}"
        case socket.gaierror():
            if error.errno in _NO_SUCH_NAME:
                return Verdict.target_fail, "there is no such host name"
            return Verdict.probe_error, f"prober: the resolver failed: {error.strerror}"
        case ssl.SSLCertVerificationError():
            return Verdict.target_fail, f"the certificate is not accepted: {distrust(error)}"
        case ssl.SSLError():
            reason = (error.reason or "the connection was closed").replace("_", " ").lower()
            return Verdict.target_fail, f"TLS failed: {reason}"
        case OSError() if error.errno in LOCAL_ERRNOS:
            return Verdict.probe_error, f"prober: {os.strerror(error.errno).lower()}"
        case OSError() if error.errno is None:  # how start_tls says that the peer has gone
            return Verdict.target_fail, "closed the connection in the TLS handshake"
        case OSError():
            code = error.errno or 0
            return Verdict.target_fail, _WORDS.get(code) or f"failed the connection: {os.strerror(code).lower()}"
        case _:
            log.error("probe_failed_internally", exc_info=error)
            return Verdict.probe_error, internal(error)


def internal(error: Exception) -> str:
    """The sentence for an error that nobody foresaw; what it says stays in the log."""
    return f"prober: internal error ({type(error).__name__})"
