#!/bin/sh
# Puts new containers in place of a service's, or of all services', one service after another: a new one answers before
# an old one ends, of the console while the other one does. For a new version, after `git pull`:
#   docker compose -f compose.yaml -f cluster/compose.yaml build && cluster/roll.sh
set -eu
cd "$(dirname "$0")/.."
export COMPOSE_FILE="${COMPOSE_FILE:-compose.yaml:cluster/compose.yaml}" COMPOSE_PATH_SEPARATOR=:
docker compose run --rm --no-deps configure
docker compose run --rm --no-deps databases
[ $# -gt 0 ] || set -- resource-cmd statuspage-cmd resource-query statistic-query statuspage-query data-gateway prober \
  console console-2
for service; do
  case $service in
    console*)  # each has an address of its own, so its new container cannot be there before the old one has gone
      docker compose up --detach --no-deps --no-build --wait "$service"
      continue ;;
  esac
  count=$(docker compose ps --all --quiet "$service" | wc -w)
  docker compose rm --force --volumes "$service"  # those that have ended must not start again
  old=$(docker compose ps --quiet "$service")
  scale=$((count + $(echo "$old" | wc -w)))
  docker compose up --detach --no-deps --no-build --no-recreate --wait --scale "$service=$scale" "$service"
  for container in $old; do
    docker stop "$container"
    docker rm --volumes "$container"
  done
done
