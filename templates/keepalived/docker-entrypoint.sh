#!/bin/sh
# NODE, the swarm's {{.Node.Hostname}}, picks the lines of keepalived.conf that begin with @NODE.
set -eu
config=/etc/keepalived/keepalived.conf
node=${NODE:-$(hostname)}

# Keepalived runs with what it understood of a broken file, at worst without its health check: refuse it instead.
keepalived --config-test --config-id="$node" --use-file="$config"

# No --log-detail: it tells of every announcement of the address, several lines each ten seconds.
exec keepalived --dont-fork --log-console --no-syslog --config-id="$node" --use-file="$config" "$@"
