import type { CheckedConfigOptions } from '../modules/checked-config.ts'
import type { StackModel } from './model.ts'

const haproxy = '/usr/local/etc/haproxy/haproxy.cfg'
const keepalived = '/etc/keepalived/keepalived.conf'

/**
 * How the images of the stack are asked whether they take its configuration files, for `checkedConfig()`. Keepalived's
 * goes by the lines and the interfaces of the node, so it is to be asked on each that runs it.
 *
 * @example stackChecks(model, { 'haproxy.cfg': 'global\n' }, 'rpi1').haproxy.image === model.images.haproxy
 */
export function stackChecks(
  { images, revisions }: Pick<StackModel, 'images' | 'revisions'>,
  files: Readonly<Record<string, string>>,
  node: string,
): Record<'haproxy' | 'keepalived' | 'nginx', CheckedConfigOptions> {
  const of = (service: keyof typeof revisions, file: string) => ({
    text: files[file] ?? '',
    template: `templates/${file}.ejs`,
    image: images[service],
    revision: revisions[service],
  })
  return {
    haproxy: { ...of('haproxy', 'haproxy.cfg'), path: haproxy, command: ['haproxy', '-c', '-f', haproxy] },
    keepalived: {
      ...of('keepalived', 'keepalived.conf'),
      path: keepalived,
      command: ['keepalived', '--config-test', `--config-id=${node}`, `--use-file=${keepalived}`],
    },
    // In a network of its own, because nginx -t opens its ports.
    nginx: {
      ...of('nginx', 'nginx.conf'),
      path: '/etc/nginx/nginx.conf',
      command: ['nginx', '-t'],
      network: 'bridge',
    },
  }
}
