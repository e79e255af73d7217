import assert from 'node:assert/strict'
import { BrambleError } from '../../../src/errors.ts'
import { addHost, removeHost } from '../../../src/inventory/edit.ts'

/** A text before and after, as a patch: lines with `-` are only in the first, those with `+` only in the second. */
function sides(patch: string): [before: string, after: string] {
  const lines = patch.replace(/^\n/, '').split(/(?<=\n)/)
  const side = (other: string) =>
    lines
      .filter((line) => !line.startsWith(other))
      .map((line) => line.replace(/^[-+ ]/, ''))
      .join('')
  return [side('+'), side('-')]
}

function withCrlf(text: string): string {
  return text.replaceAll('\n', '\r\n')
}

const added: Record<string, { groups?: string[]; name?: string; patch: string }> = {
  'below the last host, as its neighbours are written': {
    patch: `
 # the cluster
 all:
   hosts:
     # one
     rpi1:
       ansible_host: 10.0.0.1   # attic
     rpi2:
       ansible_host: 10.0.0.2
       ansible_user: pi
+    rpi5:
+      ansible_host: 10.0.0.5

   # what they are for
   children:
     workers:
       hosts:
         rpi1:   # first
+        rpi5:
     webservers:
       hosts:
         rpi2:
`,
  },
  'with address:, where that is what the others have': {
    patch: `
 all:
   hosts:
     rpi1: { address: 10.0.0.1, ansible_host: attic.example.org }
+    rpi5: { address: 10.0.0.5 }
   children:
     workers:
       hosts:
         rpi1: ~
+        rpi5: ~
`,
  },
  'with the quotes and the indent of its neighbours': {
    patch: `
 all:
     hosts:
         'rpi1': {'ansible_host': "10.0.0.1"}
+        'rpi5': {'ansible_host': "10.0.0.5"}
     children:
         workers:
             hosts:
                 "rpi1": {}
+                "rpi5": {}
`,
  },
  'in front of what is commented out, and behind what belongs to its neighbour': {
    patch: `
 all:
   hosts:
     rpi1:
       ansible_host: 10.0.0.1
       # ansible_user: root

       # ansible_port: 22
+    rpi5:
+      ansible_host: 10.0.0.5
     # rpi2: broken
   children:
     workers:
       hosts:
         rpi1:
+        rpi5:
         # the spare
`,
  },
  'to groups without any host': {
    groups: ['workers', 'webservers', 'loadbalancers', 'extra', 'more'],
    patch: `
 all:
   hosts:
     rpi1:
       ansible_host: 10.0.0.1
+    rpi5:
+      ansible_host: 10.0.0.5
   children:
     workers:   # none so far
+      hosts:
+        rpi5:
     webservers:
       hosts:
         # rpi1:
+        rpi5:
     loadbalancers:
-      hosts: {}  # none
+      hosts:  # none
+        rpi5:
     extra:
       vars:
         interface: eth1
+      hosts:
+        rpi5:
-    more: ~
+    more:
+      hosts:
+        rpi5:
`,
  },
  'to a group that only playbooks know': {
    patch: `
 all:
   hosts:
     rpi1:
       ansible_host: 10.0.0.1
+    rpi5:
+      ansible_host: 10.0.0.5
   children:
     managers:
       hosts:
         rpi1:
+    workers:
+      hosts:
+        rpi5:
`,
  },
  'to such a group, where there is none at all': {
    patch: `
 all:
   hosts:
     rpi1:
       ansible_host: 10.0.0.1
+    rpi5:
+      ansible_host: 10.0.0.5
+  children:
+    workers:
+      hosts:
+        rpi5:
`,
  },
  'where the hosts stand in the groups themselves': {
    groups: ['workers', 'webservers'],
    patch: `
 managers:
   hosts:
     rpi1: { ansible_host: 10.0.0.1 }
 workers:
   hosts:
     rpi2: { ansible_host: 10.0.0.2 }
+    rpi5: { ansible_host: 10.0.0.5 }
 webservers:
   children:
     managers:
     workers:
`,
  },
  'where a group around its own has the addresses': {
    patch: `
 all:
   children:
     pis:
       hosts:
         rpi1:
           ansible_host: 10.0.0.1
+        rpi5:
+          ansible_host: 10.0.0.5
       children:
         managers: { hosts: { rpi1: } }
-        workers: { hosts: { rpi2: } }
+        workers: { hosts: { rpi2:, rpi5: } }
 others: { hosts: { rpi2: { ansible_host: 10.0.0.2 } } }
`,
  },
  'to the place where its group is defined, not where it is mentioned': {
    patch: `
 all:
   hosts:
     rpi1:
       ansible_host: 10.0.0.1
+    rpi5:
+      ansible_host: 10.0.0.5
   children:
     webservers:
       children:
         workers:
     cluster:
       children:
         deep:
           children:
             workers:
               hosts:
                 rpi1:
+                rpi5:
`,
  },
  'although no address is written there': {
    patch: `
 all:
   hosts:
     rpi[1:4]:
       ansible_user: pi
+    rpi5:
+      ansible_host: 10.0.0.5
   children:
     workers:
       hosts:
         rpi1:
+        rpi5:
`,
  },
  'to a range that it is the next of': {
    patch: `
 all:
   hosts:
     rpi1: { ansible_host: 10.0.0.1 }
+    rpi5: { ansible_host: 10.0.0.5 }
   children:
     workers:
       hosts:
-        rpi[1:4]:   # all of them
+        rpi[1:5]:   # all of them
`,
  },
  'beside a range that it is not the next of, has variables, or is not the last': {
    groups: ['workers', 'webservers', 'nfs_server', 'more'],
    patch: `
 all:
   hosts:
     rpi1: { ansible_host: 10.0.0.1 }
+    rpi5: { ansible_host: 10.0.0.5 }
   children:
     workers:
       hosts:
         rpi[1:3]:
+        rpi5:
     webservers:
       hosts:
         rpi[1:4]: { interface: eth0 }
+        rpi5:
     nfs_server:
       hosts:
         rpi[1:4]:
         nas:
+        rpi5:
     more:
       hosts:
         rpi[01:04]:
+        rpi5:
`,
  },
  'between braces': {
    groups: ['workers', 'webservers', 'more', 'last'],
    patch: `
 all:
-  hosts: {rpi1: {ansible_host: 10.0.0.1}, rpi2: { ansible_host: 10.0.0.2, ansible_port: 1 }} # two
+  hosts: {rpi1: {ansible_host: 10.0.0.1}, rpi2: { ansible_host: 10.0.0.2, ansible_port: 1 }, rpi5: { ansible_host: 10.0.0.5 }} # two
   children: {
-    workers: {hosts: {rpi1, rpi2}}, webservers: {hosts: {rpi1: {interface: eth0}}},
+    workers: {hosts: {rpi1, rpi2, rpi5}}, webservers: {hosts: {rpi1: {interface: eth0}, rpi5: {}}},
-    more: {hosts: }, last}
+    more: {hosts: { rpi5: {} } }, last: { hosts: { rpi5: {} } }}
`,
  },
  'between braces over several lines': {
    groups: ['workers', 'webservers', 'more'],
    patch: `
 all:
   hosts: {
       rpi1: {ansible_host: 10.0.0.1}, # one
-      rpi2: {ansible_host: 10.0.0.2} # two
+      rpi2: {ansible_host: 10.0.0.2}, # two
+      rpi5: {ansible_host: 10.0.0.5}
     }
   children: {
     workers: { hosts: {
       rpi1: {}, # with a comma
+      rpi5: {},
     } },
     webservers: { hosts: {
       rpi1: {},
-      rpi2: {} } },
+      rpi2: {},
+      rpi5: {} } },
-    more: { hosts: { rpi1: {}, rpi2: {}, } },
+    more: { hosts: { rpi1: {}, rpi2: {}, rpi5: {}, } },
     }
`,
  },
  'to JSON': {
    patch: `
 {
   "all": {
     "hosts": {
       "rpi1": {
         "ansible_host": "10.0.0.1",
         "ansible_port": 22
+      },
+      "rpi5": {
+        "ansible_host": "10.0.0.5"
       }
     },
     "children": {
       "workers": {
         "hosts": {
           "rpi1": {},
-          "rpi2": {}
+          "rpi2": {},
+          "rpi5": {}
         }
       }
     }
   }
 }
`,
  },
  'to JSON without blanks and with null': {
    patch: `
-{"all":{"hosts":{"rpi1":{"ansible_host":"10.0.0.1"}},"children":{"workers":{"hosts":null}}}}
+{"all":{"hosts":{"rpi1":{"ansible_host":"10.0.0.1"},"rpi5":{"ansible_host":"10.0.0.5"}},"children":{"workers":{"hosts":{"rpi5":{}}}}}}
`,
  },
  'in quotes, where its name is a word of YAML': {
    name: 'null',
    patch: `
 all:
   hosts:
     rpi1: { ansible_host: 10.0.0.1 }
+    "null": { ansible_host: 10.0.0.5 }
   children:
     workers:
       hosts:
         rpi1:
+        "null":
`,
  },
}

const removed: Record<string, { name?: string; patch: string }> = {
  'with its lines and the comments in them, but for those above': {
    patch: `
 all:
   hosts:
     # one
     rpi1:
       ansible_host: 10.0.0.1
     # two
-    rpi2:   # attic
-      # its address
-      ansible_host: 10.0.0.2   # static
-      # ansible_user: root

     # three
     rpi3:
       ansible_host: 10.0.0.3
   children:
     managers:
       hosts:
-        rpi2:
         rpi3:
     workers:
       hosts:
-        rpi2: ~   # alone
     webservers:   # all
       children:
         workers: { vars: { interface: eth0 } }
`,
  },
  'from ranges, which get shorter': {
    patch: `
 all:
   hosts:
     rpi1: { ansible_host: 10.0.0.1 }
-    rpi2: { ansible_host: 10.0.0.2 }
   children:
     first:
       hosts:
-        rpi[2:4]: # three
+        rpi[3:4]: # three
     last:
       hosts:
-        "rpi[0:2]": {}
+        "rpi[0:1]": {}
     two:
       hosts:
-        rpi[1:2]:
+        rpi1:
     one:
       hosts:
-        rpi[2:2]:
     other:
       hosts:
         rpi[3:9]:
     step:
       hosts:
-        rpi[0:8:2]:
+        rpi0:
+        rpi[4:8:2]:
`,
  },
  'from a range that is split, each part with its variables': {
    patch: `
 all:
   hosts:
     rpi1: { ansible_host: 10.0.0.1 }
   children:
     workers:
       hosts:
         # all
-        rpi[1:9]:   # nine
+        rpi1:   # nine
           interface: eth1 # of two
           # why
+        rpi[3:9]:   # nine
+          interface: eth1
         nas:
     webservers:
-      hosts: {'rpi[1:4]': {interface: eth1}, nas: }
+      hosts: {'rpi1': {interface: eth1}, 'rpi[3:4]': {interface: eth1}, nas: }
`,
  },
  'between braces, the comma with it': {
    patch: `
 all:
-  hosts: { rpi1: { ansible_host: 10.0.0.1 }, rpi2: { ansible_host: 10.0.0.2 } } # two
+  hosts: { rpi1: { ansible_host: 10.0.0.1 } } # two
   children: {
-    a: {hosts: {rpi2, rpi3}}, b: {hosts: {rpi1: , rpi2: , rpi3: }}, c: {hosts: {rpi1, rpi2}},
+    a: {hosts: {rpi3}}, b: {hosts: {rpi1: , rpi3: }}, c: {hosts: {rpi1}},
-    d: {hosts: {rpi2: {}}}, e: {hosts: { rpi2: {} }}, f: {hosts: {rpi2: {},}}, g: {hosts: {rpi1, rpi2,}}
+    d: {hosts: {}}, e: {hosts: {}}, f: {hosts: {}}, g: {hosts: {rpi1, }}
     }
`,
  },
  'between braces over several lines': {
    patch: `
 all:
   hosts: {
-      rpi1: {ansible_host: 10.0.0.1}, # one, and rpi2
+      rpi1: {ansible_host: 10.0.0.1} # one, and rpi2
       # above
-      rpi2: {
-        ansible_host: 10.0.0.2
-      } # two
     }
   children: {
     workers: { hosts: {
-      rpi2: {}, # with a comma
       rpi3: {},
     } },
     webservers: { hosts: {
-      rpi1: {},
+      rpi1: {} } },
-      rpi2: {} } },
     }
`,
  },
  'from JSON': {
    patch: `
 {
   "all": {
     "hosts": {
       "rpi1": {
         "ansible_host": "10.0.0.1"
-      },
-      "rpi2": {
-        "ansible_host": "10.0.0.2"
       }
     },
     "children": {
       "workers": { "hosts": {
-        "rpi2": {},
         "rpi3": {}
       } }
     }
   }
 }
`,
  },
  'from where it stands behind an anchor': {
    patch: `
 all:
   hosts:
     rpi1: &pi { ansible_host: 10.0.0.1, ansible_user: pi }
-    rpi2: { <<: *pi, ansible_host: 10.0.0.2 }
   children:
     workers:
       hosts: &all
         rpi1:
-        rpi2:
     webservers:
       hosts: *all
`,
  },
}

describe('a host is added', () => {
  for (const [how, { groups = ['workers'], name = 'rpi5', patch }] of Object.entries(added)) {
    it(how, () => {
      const [before, after] = sides(patch)
      assert.equal(addHost(before, 'hosts.yml', { name, address: '10.0.0.5', groups }), after)
    })
  }

  const [before, after] = sides(added['below the last host, as its neighbours are written']?.patch ?? '')
  const host = { name: 'rpi5', address: '10.0.0.5', groups: ['workers'] }

  it('with the ends of lines that the file has', () => {
    assert.equal(addHost(withCrlf(before), 'hosts.yml', host), withCrlf(after))
  })

  it('as the last line of a file that does not end its last line', () => {
    const text = 'workers:\n  hosts:\n    rpi1: { ansible_host: 10.0.0.1 }'
    assert.equal(addHost(text, 'hosts.yml', host), `${text}\n    rpi5: { ansible_host: 10.0.0.5 }`)
  })
})

describe('a host is removed', () => {
  for (const [how, { name = 'rpi2', patch }] of Object.entries(removed)) {
    it(how, () => {
      const [before, after] = sides(patch)
      assert.equal(removeHost(before, 'hosts.yml', name), after)
    })
  }

  it('with the ends of lines that the file has', () => {
    const [before, after] = sides(removed['from ranges, which get shorter']?.patch ?? '')
    assert.equal(removeHost(withCrlf(before), 'hosts.yml', 'rpi2'), withCrlf(after))
  })

  it('as the last line of a file that does not end its last line', () => {
    const text = 'workers:\n  hosts:\n    rpi1: { ansible_host: 10.0.0.1 }'
    assert.equal(removeHost(`${text}\n    rpi2: { ansible_host: 10.0.0.2 }`, 'hosts.yml', 'rpi2'), text)
  })
})

const shared = `all:
  hosts:
    rpi1: &pi { ansible_host: 10.0.0.1 }
    rpi2: { <<: *pi, ansible_host: 10.0.0.2 }
  children:
    managers: &m
      hosts: &all
        rpi1:
    workers:
      hosts: *all
    others: *m
`
const writeOut =
  'write out what the alias stands for and try again, or make the change by hand and then: bramble apply'
const rpi5 = { name: 'rpi5', address: '10.0.0.5' }

const refused: Record<string, { edit: () => string; says: string }> = {
  'a name that is there': {
    edit: () => addHost(shared, 'hosts.yml', { ...rpi5, name: 'rpi1', groups: ['managers'] }),
    says: 'host rpi1 is in the inventory already\n  at hosts.yml:3:5',
  },
  'a group that is not there': {
    edit: () => addHost(shared, 'hosts.yml', { ...rpi5, groups: ['webserver'] }),
    says: 'no group is called `webserver`\n  next:     did you mean webservers?',
  },
  'a group whose hosts are repeated elsewhere': {
    edit: () => addHost(shared, 'hosts.yml', { ...rpi5, groups: ['managers'] }),
    says: `hosts.yml cannot be edited by program\n  at hosts.yml:11:14\n  found:    *all, which repeats what would change\n  next:     ${writeOut}`,
  },
  'a group whose hosts repeat those of another': {
    edit: () => addHost(shared, 'hosts.yml', { ...rpi5, groups: ['workers'] }),
    says: `hosts.yml cannot be edited by program\n  at hosts.yml:11:14\n  found:    *all, which repeats what stands elsewhere\n  next:     ${writeOut}`,
  },
  'a group that repeats another': {
    edit: () => addHost(shared, 'hosts.yml', { ...rpi5, groups: ['others'] }),
    says: `hosts.yml cannot be edited by program\n  at hosts.yml:12:13\n  found:    *m, which repeats what stands elsewhere\n  next:     ${writeOut}`,
  },
  'a group to be made, with nothing to make it below': {
    edit: () =>
      addHost('managers: { hosts: { rpi1: { ansible_host: 10.0.0.1 } } }\n', 'hosts.yml', {
        ...rpi5,
        groups: ['workers'],
      }),
    says: 'hosts.yml cannot be edited by program\n  at hosts.yml:1:1\n  found:    neither workers nor `all`, to make it below\n  next:     make the change by hand, and then: bramble apply',
  },
  'a host whose variables others repeat': {
    edit: () => removeHost(shared, 'hosts.yml', 'rpi1'),
    says: `hosts.yml cannot be edited by program\n  at hosts.yml:4:17\n  found:    *pi, which repeats what would change\n  next:     ${writeOut}`,
  },
  'a host that is not there': {
    edit: () => removeHost(shared, 'hosts.yml', 'rpi3'),
    says: 'no host is called `rpi3`\n  at hosts.yml\n  next:     did you mean rpi1?',
  },
  'a host that is named where no group is': {
    edit: () =>
      removeHost(
        'all: { vars: { extra: { some: &some { rpi1: { ansible_host: 10.0.0.1 } } } }, hosts: *some }\n',
        'hosts.yml',
        'rpi1',
      ),
    says: `hosts.yml cannot be edited by program\n  at hosts.yml:1:79\n  found:    rpi1 behind an alias\n  next:     ${writeOut}`,
  },
  'a key that does not have its line for itself': {
    edit: () => removeHost('all:\n  hosts:\n    ? rpi1\n    : ansible_host: 10.0.0.1\n', 'hosts.yml', 'rpi1'),
    says: 'hosts.yml cannot be edited by program\n  at hosts.yml:3:7\n  found:    `?` before the key\n  next:     make the change by hand, and then: bramble apply',
  },
}

describe('what only a human should edit is refused:', () => {
  for (const [what, { edit, says }] of Object.entries(refused)) {
    it(what, () => {
      assert.throws(edit, (error) => {
        assert.ok(error instanceof BrambleError)
        assert.equal(error.describe(), says)
        return true
      })
    })
  }
})
