"""Whether a rebuild has mended a read model, and up to which event: nobody knows what he has seen of it before."""

from pinghome_common.db import Connection, Database


async def note(tx: Connection) -> None:
    """Notes it in the transaction of the rebuild."""
    await tx.execute(_NOTE)


async def mended_at(db: Database, stream: str) -> int:
    """The position in a stream at which the read model was mended last; 0 if it never was."""
    return int(await db.fetchval("SELECT seq FROM mended WHERE stream = $1", stream) or 0)


_NOTE = """
INSERT INTO public.mended SELECT stream, seq FROM public.checkpoint
ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq
"""
