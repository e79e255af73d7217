import type { Batch } from '../playbook/batch.ts'
import { sh } from '../playbook/sh.ts'

/**
 * One systemctl for all units of a host; it prints them in the order asked, with an empty line between. Where the
 * shell can tell that the files are as systemd read them, the quicker `is-active` is enough: when it last read all
 * of them is the time of `systemd-units-load`, and a unit with an empty file, or one linked to /dev/null, is masked.
 * Only a clock that was set back hides an edit from that, or who sets the times of files by hand. What is newer counts
 * as unread even if systemd sees no need to reload: it does not notice a first drop-in, nor a file in /etc that took
 * the place of the package's own.
 *
 * @see systemd.unit(5) on the unit load path and drop-ins
 */
export const SHOW: Batch<string> = {
  merge: (names) => sh`well() {
  [ -e /run/systemd/systemd-units-load ] || return 1
  for dir in /etc/systemd /run/systemd /lib/systemd /usr/local/lib/systemd; do
    for file in "$dir"/system "$dir"/system/*.d "$dir"/system/*.d/* "$dir"/system.control/*.d/*; do
      [ ! "$file" -nt /run/systemd/systemd-units-load ] || return 1
    done
  done
  active=
  for unit; do
    case $unit in *@*) return 1 ;; esac
    there=
    for dir in /etc/systemd/system /run/systemd/system /lib/systemd/system; do
      [ -e "$dir/$unit" ] || continue
      [ -s "$dir/$unit" ] && [ ! "$dir/$unit" -nt /run/systemd/systemd-units-load ] || return 1
      there=yes
    done
    enabled=
    for link in /etc/systemd/system/*.wants/"$unit"; do [ ! -L "$link" ] || enabled=yes; done
    [ -n "$there" ] && [ -n "$enabled" ] || return 1
    active="$active
active"
  done
  [ "
$(systemctl is-active -- "$@")" = "$active" ]
}
if well ${names}; then
  for unit in ${names}; do printf '%s\\n' LoadState=loaded ActiveState=active UnitFileState=enabled NeedDaemonReload=no ''; done
else
  unread=
  for unit in ${names}; do
    for dir in /etc/systemd/system /run/systemd/system; do
      for file in "$dir/$unit" "$dir/$unit.d"; do
        [ -e /run/systemd/systemd-units-load ] && [ "$file" -nt /run/systemd/systemd-units-load ] || continue
        # The time of one from the future tells nothing, and reading it anew would not end that.
        [ -z "$(find "$file" -prune ! -newermt now)" ] || unread="$unread $unit"
      done
    done
  done
  systemctl show -p LoadState,ActiveState,UnitFileState,NeedDaemonReload -- ${names} || exit
  [ -z "$unread" ] || printf '\\nUnread=%s\\n' "$unread "
fi`,
  split({ code, stdout }, names) {
    const [shown = '', unread = ''] = stdout.trimEnd().split(/^(?=Unread=)/m)
    const parts = shown.trimEnd().split('\n\n')
    return code === 0 && parts.length === names.length
      ? parts.map((part) => ({ code, stdout: `${part}\n${unread}` }))
      : undefined
  },
}
