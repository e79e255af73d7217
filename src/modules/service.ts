import { batched } from '../playbook/batch.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { matching, printed } from './check.ts'
import { replaced } from './diff.ts'
import { SHOW } from './service-probe.ts'

export interface ServiceOptions extends Common {
  /** A unit; `.service` may be left out. */
  name: string
  /** Started at boot. Default: left as it is. */
  enabled?: boolean
  /** Default: left as it is. */
  state?: 'started' | 'stopped'
}

/**
 * A systemd unit that is (or is not) running now and started at boot. If its files changed since systemd read
 * them, they are read again; to restart it then, notify a handler from the resource that writes the file.
 *
 * Errors: no such unit, or it does not start; the last lines of its log are shown.
 *
 * @see systemctl(1), org.freedesktop.systemd1(5)
 * @example service({ name: 'docker', enabled: true, state: 'started' })
 */
export function service(options: ServiceOptions): Resource {
  const { enabled, state } = options
  const given = matching(options.name, /^[\w@:.\\][\w@:.\\-]*$/, 'the name of a systemd unit')
  const name = UNIT.test(given) ? given : `${given}.service`
  const wish = [
    enabled === undefined ? '' : enabled ? ' enabled' : ' disabled',
    state ? ` ${state}` : '',
  ].join('')
  return resource(
    {
      title: `service ${given}${wish}`,
      probe: batched(SHOW, name, SHOW.merge([name])),
      restsOn: [`/etc/systemd/system/${name}`, `/etc/systemd/system/${name}.d`],
      plan(seen) {
        const found = parse(printed(seen, `unit ${name}`), name)
        const wanted = enabled === true || state === 'started'
        const steps = [
          ...loading(name, found, wanted),
          ...booting(name, found, enabled),
          ...running(name, found, state),
        ]
        if (steps.length === 0) return undefined
        return {
          diff: replaced(
            `${name}: ${steps.map(({ from }) => from).join(', ')}`,
            `${name}: ${steps.map(({ to }) => to).join(', ')}`,
          ),
          apply: lines(...steps.map(({ apply }) => apply)),
          // The package it comes with starts and enables it, as Debian's do.
          ...(found.load === 'not-found' && { uncertain: true }),
        }
      },
    },
    options,
  )
}

const UNIT = /\.(service|socket|timer|mount|automount|path|target|slice|swap)$/

/** Units without an [Install] section, or enabled through another: no more can be asked of them. */
const ENABLED = new Set(['enabled', 'static', 'alias', 'indirect', 'generated'])

interface Found {
  load: string
  active: string
  file: string
  stale: boolean
}

interface Step {
  from: string
  to: string
  apply: Sh
}

function loading(name: string, { load, stale }: Found, wanted: boolean): Step[] {
  // No error of the plan: in check mode, the package it comes with may not have been installed yet.
  if (load === 'not-found' && wanted)
    return [{ from: 'unit not found', to: 'unit found', apply: sh`systemctl daemon-reload` }]
  if (load === 'masked' && wanted)
    return [
      {
        from: 'masked',
        to: 'unmasked',
        apply: lines(sh`systemctl unmask -- ${name}`, sh`systemctl unmask --runtime -- ${name}`),
      },
    ]
  return stale
    ? [{ from: 'files changed since they were read', to: 'read anew', apply: sh`systemctl daemon-reload` }]
    : []
}

function booting(name: string, { file }: Found, enabled: boolean | undefined): Step[] {
  if (enabled === true && !ENABLED.has(file)) {
    return [{ from: file || 'not enabled', to: 'enabled', apply: sh`systemctl enable -- ${name}` }]
  }
  if (enabled === false && file.startsWith('enabled')) {
    return [{ from: file, to: 'disabled', apply: sh`systemctl disable -- ${name}` }]
  }
  return []
}

function running(name: string, { active }: Found, state: ServiceOptions['state']): Step[] {
  if (state === 'started' && active !== 'active' && active !== 'reloading') {
    return [{ from: active, to: 'active', apply: start(name) }]
  }
  if (state === 'stopped' && active !== 'inactive' && active !== 'failed') {
    return [{ from: active, to: 'inactive', apply: sh`systemctl stop -- ${name}` }]
  }
  return []
}

/** Starts a unit; where that fails, its last words tell why. */
export function start(name: string): Sh {
  return sh`systemctl start -- ${name} || {
code=$?
# What it has just said may not have been written yet.
journalctl --sync 2>/dev/null || :
journalctl -n 20 --no-pager -o cat -u ${name} >&2 || :
exit $code
}`
}

function parse(stdout: string, name: string): Found {
  const property = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? ''
  return {
    load: property('LoadState'),
    active: property('ActiveState'),
    file: property('UnitFileState'),
    stale: property('NeedDaemonReload') === 'yes' || property('Unread').split(' ').includes(name),
  }
}
