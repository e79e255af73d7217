#!/bin/sh
# NODE, the swarm's {{.Node.Hostname}}, picks the lines of keepalived.conf that begin with @NODE.
#
# Keepalived that ends while it holds ADDRESS hands it over, and nobody who connects to its PORT meanwhile may notice. A
# client repeats a connection request that got no answer after a second; one that is refused, or whose connection moves
# to a machine that knows nothing of it, fails. So requests are dropped while those that have just been accepted send
# what they ask for. An answer that comes after the move is still sent, as HAProxy binds `transparent`; only one that is
# so long that its client has to confirm parts of it is cut. All is over within that second.
set -eu
config=/etc/keepalived/keepalived.conf
node=${NODE:-$(hostname)}
address=${ADDRESS:-} port=${PORT:-80}
table=bramble_vip

held() {
  [ -n "$address" ] && [ -n "$(/bin/busybox ip -4 -o address show to "$address")" ]
}

hold_back() {
  nft -f - <<END
table ip $table {
  chain input {
    type filter hook input priority filter - 10
    ip daddr $address tcp dport $port tcp flags & (syn | ack) == syn drop
  }
}
END
}

# One that was killed leaves its table behind, which would keep everybody from an address that comes back.
admit() {
  ! nft list tables | grep -qx "table ip $table" || nft delete table ip $table
}

leave() {
  leaving=yes
  # Asked twice, it would end before Keepalived has given the address up.
  trap '' TERM INT
  if held; then
    if hold_back; then
      echo "Holding connections to $address:$port back"
      sleep 0.3
    else
      echo "Cannot hold connections to $address:$port back: one that is new now may fail" >&2
    fi
  fi
  # It may have ended by itself.
  kill -TERM "$keepalived" || :
}

# Keepalived runs with what it understood of a broken file, at worst without its health check: refuse it instead.
keepalived --config-test --config-id="$node" --use-file="$config"
admit

leaving= code=0
# No --log-detail: it tells of every announcement of the address, several lines each ten seconds.
keepalived --dont-fork --log-console --no-syslog --config-id="$node" --use-file="$config" "$@" &
keepalived=$!
trap leave TERM INT
wait "$keepalived" || code=$?
# A signal ends the wait, not Keepalived.
[ -z "$leaving" ] || { code=0 && wait "$keepalived" || code=$?; }
admit
exit "$code"
