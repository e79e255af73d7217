import { pack } from 'tar-stream'
import { buffer } from 'node:stream/consumers'

export interface Seed {
  /** The machine's own private host key and its public half, as ssh-keygen(1) writes them. */
  hostKey: string
  hostKeyPublic: string
  /** Who may log in as `pi`: a public key. */
  loginKey: string
}

/**
 * The tar archive that a machine unpacks at its first boot. It is put on a disk as it is: tar's end marker makes
 * what follows on the disk harmless.
 */
export async function seedArchive(seed: Seed): Promise<Buffer> {
  const tar = pack()
  const key = 'etc/ssh/ssh_host_ed25519_key'
  tar.entry({ name: 'home/pi/.ssh/authorized_keys', mode: 0o600, uid: 1000, gid: 1000 }, seed.loginKey)
  tar.entry({ name: `${key}.pub`, mode: 0o644 }, seed.hostKeyPublic)
  tar.entry({ name: key, mode: 0o600 }, seed.hostKey)
  tar.finalize()
  return buffer(tar)
}
