"""The server agent: measures a Linux host and pushes the figures to Pinghome."""

from importlib.metadata import version

VERSION = version("pinghome-agent")
