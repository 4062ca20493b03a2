"""Maps errors to a verdict and a sentence: the target's fault, ours, or forbidden (reliability.md 3.2)."""

import errno
import os
import socket
import ssl

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import LOCAL_ERRNOS, AddressForbidden
from pinghome_common.logs import log

# EAI_NODATA and EAI_NONAME come from the name's own servers; other codes are failures of the resolver.
_NO_SUCH_NAME = {socket.EAI_NONAME, socket.EAI_NODATA}
_SENTENCES = {
    errno.ECONNREFUSED: "refused the connection",
    errno.ECONNRESET: "reset the connection",
    errno.ECONNABORTED: "reset the connection",
    errno.EPIPE: "reset the connection",
    errno.ETIMEDOUT: "did not answer the connection attempt",
    errno.EHOSTUNREACH: "cannot be reached: no route to host",
}


class Broken(Exception):
    """The target failed or violated the protocol; the text says how."""


_NO_ISSUER = {20, 21}  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, …_TO_VERIFY_LEAF_SIGNATURE


def certificate_error(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is not accepted: OpenSSL's message, extended where it does not help an administrator."""
    message = error.verify_message.rstrip(".")
    if error.verify_code in _NO_ISSUER:
        message += ": the server does not send an intermediate certificate, or its authority is private"
    return message


class OwnFault(Exception):
    """Something on our side of the target failed; the text says what."""


def explain(error: Exception) -> tuple[Verdict, str]:  # noqa: C901, PLR0911  # one case per error
    """The verdict and the sentence for an error; unexpected errors are ours."""
    match error:
        case AddressForbidden():
            return Verdict.blocked, str(error)
        case Broken():
            return Verdict.target_fail, str(error)
        case OwnFault():
            return Verdict.probe_error, f"prober: {error}"
        case socket.gaierror():
            if error.errno in _NO_SUCH_NAME:
                return Verdict.target_fail, "the host name does not exist"
            return Verdict.probe_error, f"prober: the resolver failed: {error.strerror}"
        case ssl.SSLCertVerificationError():
            return Verdict.target_fail, f"the certificate is not accepted: {certificate_error(error)}"
        case ssl.SSLError():
            reason = (error.reason or "the connection was closed").replace("_", " ").lower()
            return Verdict.target_fail, f"TLS failed: {reason}"
        case OSError() if error.errno in LOCAL_ERRNOS:
            return Verdict.probe_error, f"prober: {os.strerror(error.errno).lower()}"
        case OSError() if error.errno is None:  # start_tls raises it when the peer closes the connection
            return Verdict.target_fail, "closed the connection during the TLS handshake"
        case OSError():
            code = error.errno or 0
            return Verdict.target_fail, _SENTENCES.get(code) or f"connection failed: {os.strerror(code).lower()}"
        case _:
            log.error("probe_failed_internally", exc_info=error)
            return Verdict.probe_error, internal(error)


def internal(error: Exception) -> str:
    """The sentence for an unexpected error; details are only logged."""
    return f"prober: internal error ({type(error).__name__})"
