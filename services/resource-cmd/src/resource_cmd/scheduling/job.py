"""What probers are told of a monitor."""

import hashlib

import msgspec

from pinghome_common.events.condition import BODY, Condition
from pinghome_common.events.probe import Job
from pinghome_common.events.resource import Resource
from pinghome_common.secret import seal, unseal
from resource_cmd.monitors.target import endpoint, question


def fingerprint(it: Resource) -> str:
    """The same for two states of a monitor exactly when a prober is told the same of it."""
    job = msgspec.msgpack.encode(job_of(it, it.sealed))
    return hashlib.sha256(job).hexdigest()[:32]


def sealed_for(it: Resource, own: bytes, key: bytes) -> bytes:
    """What the probers of a region are told of a monitor, encoded.

    Args:
        it: the monitor.
        own: resource-cmd's key, in which its headers and body are sealed.
        key: the region's key, in which the probers get them.
    """
    sealed = seal(key, unseal(own, it.sealed)) if it.sealed else b""
    return msgspec.msgpack.encode(job_of(it, sealed))


def job_of(it: Resource, sealed: bytes = b"") -> Job:
    """What a prober is told of a monitor; `sealed` are its headers and body."""
    job = Job(
        resource=it.id,
        type=it.type,
        interval=it.interval,
        method=it.method,
        skip_ssl_error=it.skip_ssl_error,
        not_follow_redirect=it.not_follow_redirect,
        max_redirects=it.max_redirects,
        sealed=sealed,
    )
    if it.type == "http":
        keyword = [Condition(type=BODY, operator="contains", values=[it.data])] if it.data else []
        job.url, job.conditions = it.url, [*it.conditions, *keyword]
    else:
        found = endpoint(it)
        job.host, job.port, job.data = found.host, found.port, question(it) if it.type == "dns" else it.data
    return job
