"""Dry run of a monitor (our extension): it is probed once from each region and not saved."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import ConfigDict, Field
from uuid_utils.compat import uuid7

from pinghome_common.clock import from_micros, now
from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import Authorized, Router, answer
from pinghome_common.dialects.pinghome_fields import Id, Name
from pinghome_common.dialects.problems import problem
from pinghome_common.directory import Caller
from pinghome_common.events.dry_run import DryRun
from pinghome_common.events.resource import Resource
from pinghome_common.origin import same_place
from pinghome_common.secret import derive
from pinghome_common.store import Actor, no_wait
from resource_cmd.api.pinghome.resource import checked, fits, secrets_of
from resource_cmd.api.pinghome.resource_body import EXAMPLE, CreateResource
from resource_cmd.monitors import resource
from resource_cmd.monitors.store import Resources

routes = Router(tags=["Uptime monitors"])


class DryRunBody(CreateResource):
    """A monitor as it would be created; it needs no name and no service.

    With the `id` of one that there is, masks stand for its headers and body, as long as the host is the same.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{name: EXAMPLE[name] for name in ("type", "url", "conditions", "regions")}]}
    )

    name: Name = "dry run"
    service_id: Id = documents.RESOURCE["service_id"]
    id: Id | None = Field(None, description="the monitor whose secrets masks stand for")


ANSWER: dict[str, Any] = {
    "data": [
        {
            "region": "eu-central-1",
            "verdict": "up",
            "error": "",
            "status_code": 200,
            "address": "93.184.216.34",
            "checked_at": "2026-11-21T21:50:15Z",
            "phases": {"dns": 1.2, "connect": 8.1, "tls": 17.9, "first_byte": 12.4, "total": 41.873},
            "certificate": documents.CERTIFICATE,
            "tolerated": [],
            "conditions": [
                {
                    "type": "response-json-check",
                    "operator": "equal",
                    "values": ["pinghome"],
                    "key": "groups.user[0].name",
                    "holds": True,
                    "found": "pinghome",
                }
            ],
        }
    ]
}


@routes.post(
    "/v1/resource/test",
    responses=documents.shows(ANSWER) | {429: problem("ten dry runs are under way")},
)
async def dry_run(body: DryRunBody, caller: Authorized, request: Request) -> Response:
    """Probes once from each region without saving: phases (ms), verdict, and every condition's own verdict.

    Verdicts are `up`, `target_fail`, `probe_error` and `blocked`; null for a region that did not answer. With an `id`
    masked headers and a masked body are those of that monitor; for another host they have to be sent anew.
    """
    state = request.app.state
    settings = {"name": body.name, "service_id": body.service_id, **checked(state, body)}
    settings.pop("id", None)
    it = resource.create(uuid7(), caller.organisation, settings, now())
    old = await _stored(request, caller, body.id) if body.id else it
    headers, text = secrets_of(body, has_body=old.has_body)
    if text is None and body.body is None:
        text = ""  # what is not sent is not kept, for this is no change
    moved = not same_place(old.url or old.host, it.url or it.host)
    key = derive(state.settings.secret_key, "resource")
    it = resource.with_secrets(replace(it, sealed=old.sealed), key, headers or {}, text, moved=moved)
    fits(state, body, it)
    runs = await state.dry_runs.run(it)
    return answer({"data": [_shown(region, run) for region, run in runs.items()]})


async def _stored(request: Request, caller: Caller, id_: UUID) -> Resource:
    async with request.app.state.db.transaction() as tx:  # not held while the probers take their time
        row = await Resources(tx, Actor(str(caller.key), caller.organisation), no_wait, now()).edit(id_)
    return row.state


def _shown(region: str, run: DryRun) -> dict[str, Any]:
    seen = run.result
    if seen is None:
        error = "the region is busy; try again" if run.busy else "no prober of this region answered in time"
        return {**dict.fromkeys(ANSWER["data"][0]), "region": region, "error": error, "conditions": [], "tolerated": []}
    return {
        "region": region,
        "verdict": seen.verdict,
        "error": seen.error,
        "status_code": seen.status_code,
        "address": seen.address,
        "checked_at": documents.moment_of(seen.checked_at),
        "phases": {
            name: documents.milliseconds(getattr(seen.phases, name))
            for name in ("dns", "connect", "tls", "first_byte", "total")
        },
        "certificate": seen.certificate and documents.certificate(seen.certificate, from_micros(seen.checked_at)),
        "tolerated": seen.tolerated,
        "conditions": [
            {
                "type": it.condition.type,
                "operator": it.condition.operator,
                "values": it.condition.values,
                "key": it.condition.key,
                "holds": it.holds,
                "found": it.found,
            }
            for it in run.conditions
        ],
    }
