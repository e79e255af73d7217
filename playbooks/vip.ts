import { play, playbook, sysctl } from 'bramble'

/** What the kernel has to allow before the load balancers can hold the virtual IP. */
const sysctls = play({
  name: 'vip',
  hosts: 'loadbalancers',
  *tasks() {
    yield sysctl({
      settings: {
        // HAProxy may bind the virtual IP while the other load balancer holds it.
        'net.ipv4.ip_nonlocal_bind': 1,
        // When a replaced HAProxy closes its port, connections that it has not accepted go to the new one and are not
        // reset: Linux 5.14 or later, ip-sysctl of its documentation.
        'net.ipv4.tcp_migrate_req': 1,
      },
    })
  },
})

export default playbook({ name: 'vip', plays: [sysctls] })
