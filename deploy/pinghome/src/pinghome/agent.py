"""The command `pinghome agent`."""

import typer

from pinghome_agent import main

agent = typer.Typer()


@agent.command(
    "agent",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def agent_command(context: typer.Context) -> None:
    """Measure this server and push the figures: the same as `pinghome-agent`, with its options."""
    main.main(context.args)
