#!/bin/sh
# NODE, the swarm's {{.Node.Hostname}}, picks the lines of keepalived.conf that begin with @NODE.
set -eu
config=/etc/keepalived/keepalived.conf
node=${NODE:-$(hostname)}

# Keepalived runs with what it understood of a broken file, at worst without its health check: refuse it instead.
keepalived --config-test --config-id="$node" --use-file="$config"

exec keepalived --dont-fork --log-console --no-syslog --log-detail --config-id="$node" --use-file="$config" "$@"
