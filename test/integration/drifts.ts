/** Something done to a host by hand. */
export interface Drift {
  /** Titles of the tasks that have to notice, and the handlers that have to run. */
  hits: readonly string[]
  /** Does it, as root. */
  script: string
  /** It is in a text file, and shown as a unified diff with this line. */
  shows?: string
}

const text = 'file /srv/drift/text'
const bytes = 'file /srv/drift/bytes'
const cron = 'template /etc/cron.d/drift'
const settings = 'line in /srv/drift/settings: Port 2222'
const hosts = 'block in /etc/hosts'
const kernel = 'sysctl net.ipv4.ip_nonlocal_bind net.ipv4.conf.all.log_martians'
const thorn = 'service thorn enabled started'
const ivy = 'service ivy enabled started'
const moss = 'service moss.timer disabled stopped'
const unit = ['file /etc/systemd/system/thorn.service', thorn, 'handler: restart thorn']

/**
 * What may be done to each thing that drift-playbook.ts looks after; `word` is random and free of blanks. A round does
 * at most one of a group, so that none undoes another.
 */
export function drifts(word: string): readonly (readonly Drift[])[] {
  return [
    [
      { hits: [text], script: `echo '${word}' >>/srv/drift/text`, shows: `-${word}` },
      { hits: [text], script: `sed -i 's/two/${word}/' /srv/drift/text`, shows: `-${word}` },
      { hits: [text], script: ': >/srv/drift/text', shows: '+two' },
      { hits: [text], script: 'rm /srv/drift/text', shows: '+two' },
      {
        hits: [text],
        script: 'mv /srv/drift/text /srv/moved; ln -s /srv/moved /srv/drift/text',
        shows: '+two',
      },
      { hits: [text], script: 'ln -sf /nowhere /srv/drift/text', shows: '+two' },
      { hits: [text], script: 'chmod 4755 /srv/drift/text' },
      { hits: [text], script: 'chown root /srv/drift/text' },
      { hits: [text], script: 'chgrp 4242 /srv/drift/text' },
      // As long as it was, and as old as it was.
      {
        hits: [text],
        script: `cp -p /srv/drift/text /srv/old; sed -i s/two/owt/ /srv/drift/text; touch -r /srv/old /srv/drift/text`,
        shows: '-owt',
      },
    ],
    [
      { hits: [bytes], script: `printf '\\000\\001\\376\\376' >/srv/drift/bytes` },
      { hits: [bytes], script: 'chmod 644 /srv/drift/bytes' },
    ],
    [
      {
        hits: [cron],
        script: `echo '* * * * * root ${word}' >/etc/cron.d/drift`,
        shows: `-* * * * * root ${word}`,
      },
      { hits: [cron], script: 'rm /etc/cron.d/drift', shows: '+0 4 * * * root echo rpi1' },
    ],
    [
      { hits: [settings], script: `echo 'Port 1' >>/srv/drift/settings`, shows: '-Port 1' },
      { hits: [settings], script: `echo '${word}' >/srv/drift/settings`, shows: '+Port 2222' },
      { hits: [settings], script: 'rm /srv/drift/settings', shows: '+Port 2222' },
    ],
    [
      { hits: [hosts], script: `sed -i 's/ ivy/ ${word}/' /etc/hosts`, shows: `-10.77.0.12 ${word}` },
      { hits: [hosts], script: `sed -i /BRAMBLE/,/BRAMBLE/d /etc/hosts`, shows: '+10.77.0.12 ivy' },
    ],
    [
      { hits: ['link /srv/drift/link'], script: `ln -sfn '${word}' /srv/drift/link` },
      { hits: ['link /srv/drift/link'], script: 'rm /srv/drift/link' },
    ],
    [
      {
        hits: ['absent /srv/drift/weed'],
        script: 'mkdir -p /srv/drift/weed/deep; touch /srv/drift/weed/deep/er',
      },
      { hits: ['absent /srv/drift/weed'], script: 'ln -s /nowhere /srv/drift/weed' },
    ],
    [
      { hits: ['directory /srv/drift'], script: 'chmod 700 /srv/drift' },
      { hits: ['directory /srv/drift'], script: 'chown root:root /srv/drift; chmod 2775 /srv/drift' },
    ],
    [
      { hits: [kernel], script: 'echo 0 >/proc/sys/net/ipv4/ip_nonlocal_bind' },
      { hits: [kernel], script: 'sed -i s/1/0/ /etc/sysctl.d/60-bramble.conf' },
      { hits: [kernel], script: `echo '# ${word}' >>/etc/sysctl.d/60-bramble.conf` },
      { hits: [kernel], script: 'rm /etc/sysctl.d/60-bramble.conf' },
    ],
    [
      { hits: ['mount /mnt/drift'], script: 'umount /mnt/drift' },
      { hits: ['mount /mnt/drift'], script: 'mount -o remount,exec /mnt/drift' },
      { hits: ['mount /mnt/drift'], script: 'mount -o remount,ro /mnt/drift' },
      { hits: ['mount /mnt/drift'], script: 'mount -o remount,nodev /mnt/drift' },
      { hits: ['mount /mnt/drift'], script: 'mount -t tmpfs weed /mnt/drift' },
      {
        hits: ['mount /mnt/drift'],
        script: `sed -i '/drift/d' /etc/fstab`,
        shows: '+tmpfs /mnt/drift tmpfs',
      },
      {
        hits: ['mount /mnt/drift'],
        script: `sed -i '/drift/s/noexec,//' /etc/fstab`,
        shows: '+tmpfs /mnt/drift tmpfs',
      },
      {
        hits: ['mount /mnt/drift'],
        script: `sed -i '/drift/s/^/#/' /etc/fstab`,
        shows: '+tmpfs /mnt/drift tmpfs',
      },
    ],
    [
      { hits: ['user rose'], script: 'usermod -s /bin/sh rose' },
      { hits: ['user rose'], script: 'gpasswd -d rose gardeners' },
      { hits: ['group gardeners'], script: 'groupmod -g 4322 gardeners' },
    ],
    [
      { hits: [thorn], script: 'systemctl stop thorn' },
      { hits: [thorn], script: 'systemctl disable thorn' },
      {
        hits: [thorn],
        script: 'systemctl kill -s KILL thorn; while systemctl -q is-active thorn; do :; done',
      },
      {
        hits: [thorn],
        script: `mkdir -p /etc/systemd/system/thorn.service.d; printf '[Unit]\\nDescription=${word}\\n' >/etc/systemd/system/thorn.service.d/weed.conf`,
      },
      { hits: unit, script: `echo '# ${word}' >>/etc/systemd/system/thorn.service`, shows: `-# ${word}` },
      {
        hits: unit,
        script: `echo '# ${word}' >>/etc/systemd/system/thorn.service; systemctl daemon-reload; systemctl restart thorn`,
        shows: `-# ${word}`,
      },
    ],
    [
      { hits: [ivy], script: 'systemctl stop ivy' },
      { hits: [ivy], script: 'systemctl disable --now ivy' },
      { hits: [ivy], script: 'systemctl mask ivy' },
      { hits: [ivy], script: 'systemctl mask --now ivy' },
      { hits: [ivy], script: 'systemctl mask --runtime ivy' },
    ],
    [
      { hits: [moss], script: 'systemctl enable moss.timer' },
      { hits: [moss], script: 'systemctl start moss.timer' },
    ],
    [{ hits: ['a first page'], script: 'rm /srv/page' }],
    [
      { hits: ['packages hello'], script: 'dpkg --purge hello' },
      { hits: ['packages hello'], script: 'dpkg --remove hello' },
    ],
  ]
}
