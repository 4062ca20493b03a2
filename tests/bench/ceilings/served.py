"""The no-op of noop.py, served as our services are: `pinghome_common.serve.run`."""

from noop import app

from pinghome_common.serve import run

run(lambda _: app)
