import { raw } from '../playbook/sh.ts'
import { resource, type Common, type Facts, type Resource, type Seen } from '../playbook/resource.ts'

// A line a fact; what a machine does not have is left out.
const probe = raw(`tell() { [ -z "$2" ] || printf '%s:%s\\n' "$1" "$2"; }
first() { [ ! -r "$1" ] || { read -r line <"$1"; printf %s "$line"; }; }
tell hostname "$(first /proc/sys/kernel/hostname)"
tell model "$(tr -d '\\0' 2>/dev/null </proc/device-tree/model || first /sys/class/dmi/id/product_name)"
tell os "$(. /etc/os-release; printf %s "$PRETTY_NAME")"
tell kernel "$(uname -r)"
tell architecture "$(uname -m)"
tell processors "$(grep -c '^processor' /proc/cpuinfo)"
tell memory_kb "$(while read -r name kb _; do [ "$name" != MemTotal: ] || echo "$kb"; done </proc/meminfo)"
tell disk_free_kb "$(df -Pk / | while read -r _ _ _ free _; do line=$free; echo "$line"; done | tail -n 1)"
tell millidegrees "$(first /sys/class/thermal/thermal_zone0/temp 2>/dev/null)"
tell uptime "$(first /proc/uptime)"
tell docker "$(dpkg-query -W -f '\${Version}' docker.io 2>/dev/null || dpkg-query -W -f '\${Version}' docker-ce 2>/dev/null)"
tell clock "$(date +%s)"
ip -o -4 addr show | while read -r _ interface _ address _; do tell address "$interface \${address%/*}"; done`)

/**
 * What kind of machine a host is; nothing is ever changed. What `bramble facts` prints, and later plays may ask for.
 * Facts: `hostname`, `model`, `os`, `kernel`, `architecture`, `processors`, `memory_mb`, `disk_free_mb` (of /),
 * `temperature_c`, `uptime_s`, `docker` (version of the package), `clock_offset` (seconds ahead of this computer),
 * `addresses` (as `eth0 192.168.188.11`, with commas between); those that the machine has.
 *
 * @example machineFacts()
 */
export function machineFacts(common: Common = {}): Resource {
  return resource({ title: 'machine facts', probe, plan: () => undefined, facts: readFacts }, common)
}

function readFacts(seen: Seen): Facts {
  const told = seen.stdout.split('\n').flatMap((line) => {
    const [, name, value] = /^(\w+):(.*)$/.exec(line) ?? []
    return name !== undefined && value !== undefined ? [{ name, value: value.trim() }] : []
  })
  const facts = new Map<string, string>()
  for (const { name, value } of told) {
    if (name === 'memory_kb' || name === 'disk_free_kb') {
      facts.set(name.replace('_kb', '_mb'), String(Math.floor(Number(value) / 1024)))
    } else if (name === 'millidegrees') facts.set('temperature_c', (Number(value) / 1000).toFixed(1))
    else if (name === 'uptime') facts.set('uptime_s', value.replace(/[. ].*/, ''))
    else if (name === 'clock') {
      const here = (seen.answered ?? Date.now()) / 1000
      facts.set('clock_offset', String(Math.round(Number(value) - here)))
    } else if (name === 'address') {
      if (value.startsWith('lo ')) continue
      const before = facts.get('addresses')
      facts.set('addresses', before === undefined ? value : `${before}, ${value}`)
    } else facts.set(name, value)
  }
  return Object.fromEntries(facts)
}
