import { until } from '../../src/lab/wait.ts'
import { shell, type LightHost } from '../light-host.ts'

/**
 * Certificates that have expired: the swarm is given a CA whose key the test has, and with that a member's own certificate
 * is signed anew, with the days that are over.
 */
export interface SwarmCa {
  /** Stops Docker on a host, and starts it again with a certificate that has expired. */
  expire(host: LightHost): Promise<void>
}

/** Puts the CA in the place of the one that the swarm of this manager has made for itself. */
export async function ownCa(manager: LightHost): Promise<SwarmCa> {
  const pair = await shell(
    manager,
    `umask 077
cd "$(mktemp -d)"
openssl ecparam -name prime256v1 -genkey -noout -out key
openssl req -x509 -new -key key -subj /CN=swarm-ca -days 3650 -out certificate \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
docker swarm ca --rotate --detach --ca-cert certificate --ca-key key >/dev/null
cat certificate key`,
  )
  await until('all certificates to be renewed', 60_000, async () => {
    const swarm = await shell(manager, 'curl -sS --unix-socket /run/docker.sock http://docker/swarm')
    return swarm.includes('"RootRotationInProgress":false')
  })
  return {
    async expire(host) {
      await shell(
        host,
        `umask 077
systemctl stop docker.socket docker
cd /var/lib/docker/swarm/certificates
cat >/tmp/ca <<'END'
${pair}
END
# Docker keeps headers of its own in there, which OpenSSL does not read.
sed '/^[a-z-]*: /d; /^$/d' swarm-node.key >/tmp/key
openssl x509 -x509toreq -in swarm-node.crt -signkey /tmp/key -copy_extensions copyall -out /tmp/request
openssl x509 -req -in /tmp/request -copy_extensions copyall -CA /tmp/ca -CAkey /tmp/ca -set_serial 7 -days 0 -out /tmp/expired
cat /tmp/expired >swarm-node.crt
rm /tmp/ca /tmp/key /tmp/request /tmp/expired
timeout 10 sh -c 'while openssl x509 -in swarm-node.crt -noout -checkend 0; do sleep 0.2; done' >/dev/null
systemctl reset-failed docker
systemctl start docker.socket docker`,
      )
    },
  }
}
