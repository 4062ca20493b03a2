#!/bin/sh
# Patroni with the password that `configure` has made, which is in no environment that `docker inspect` shows.
set -eu
PATRONI_SUPERUSER_PASSWORD=$(cat /config/password)
export PATRONI_SUPERUSER_PASSWORD PATRONI_REPLICATION_PASSWORD="$PATRONI_SUPERUSER_PASSWORD"
export PATRONI_RESTAPI_USERNAME=patroni PATRONI_RESTAPI_PASSWORD="$PATRONI_SUPERUSER_PASSWORD"
export PATRONI_RESTAPI_CONNECT_ADDRESS="$PATRONI_NAME:8008" PATRONI_POSTGRESQL_CONNECT_ADDRESS="$PATRONI_NAME:5432"
exec /patroni/bin/patroni /etc/patroni.yaml
