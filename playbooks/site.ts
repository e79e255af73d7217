import { playbook } from 'bramble'
import docker from './docker.ts'
import nfs from './nfs.ts'
import preflight from './preflight.ts'
import stack from './stack.ts'
import swarm from './swarm.ts'
import vip from './vip.ts'

/** The whole cluster, from fresh Pis to a page behind the virtual IP. */
export default playbook({ name: 'site', plays: [preflight, docker, nfs, vip, swarm, stack] })
