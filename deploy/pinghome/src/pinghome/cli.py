"""The `pinghome` command."""

import gc
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import asyncpg
import typer
from typer.core import TyperGroup
from typer.main import get_group

from pinghome_common.errors import DomainError
from pinghome_common.logs import error_text

COMMANDS = {
    "up": "pinghome.up:up",
    "agent": "pinghome.agent:agent",
    "organisation": "pinghome.keys:organisations",
    "keys": "pinghome.keys:keys",
    "console": "pinghome.console:console",
    "prober": "pinghome.probers:probers",
    "doctor": "pinghome.doctor.command:doctor",
    "dead-letters": "pinghome.dead_letters:dead_letters",
    "backup": "pinghome.backup.command:backups",
    "restore": "pinghome.backup.command:backups",
    "rebuild": "pinghome.rebuild:rebuild",
    "compose": "pinghome.compose:compose",
}
"""Where each command is defined."""


class _Imported(Mapping[str, Any]):
    """The commands by name; each is imported when it is looked up, because all of them take a second."""

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = COMMANDS[name].partition(":")
        gc.disable()  # what is imported stays: to look through it for garbage takes a seventh of a start
        found = getattr(import_module(module), attribute)
        gc.enable()
        holder = typer.Typer()
        holder.add_typer(found)
        return get_group(holder).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Pinghome(TyperGroup):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = _Imported()  # type: ignore[assignment]  # nothing is added to it

    def invoke(self, ctx: Any) -> Any:
        """Runs a command; an expected error ends the program with its sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):  # RuntimeErrors, too
            raise
        except (DomainError, RuntimeError, OSError, asyncpg.PostgresError) as error:
            text = error.message if isinstance(error, DomainError) else error_text(error)
            typer.secho(text, err=True, fg="red")
            raise typer.Exit(1) from None


app = typer.Typer(cls=_Pinghome, no_args_is_help=True, add_completion=False, help="The Pinghome monitoring platform.")
app.callback()(lambda: None)  # else a Typer without commands of its own is none
