import {
  apt,
  command,
  directory,
  file,
  line,
  link,
  play,
  playbook,
  sh,
  template,
  type Resource,
} from 'bramble'
import { tasks, type Task } from './tasks.ts'

function resourceOf(task: Task, root: string, host: { name: string; address: string }): Resource {
  const at = (path: string): string => `${root}/${path}`
  switch (task.kind) {
    case 'directory':
      return directory({ path: at(task.path) })
    case 'file':
      return file({ path: at(task.path), content: task.content })
    case 'template': {
      const text = task.source.replaceAll(/\{\{ (\w+) \}\}/g, '<%= $1 %>')
      const { name, address } = host
      return template({
        path: at(task.path),
        source: { name: task.path, text },
        variables: { name, address },
      })
    }
    case 'line':
      return line({ path: at(task.path), match: task.match, line: task.line, create: true })
    case 'link':
      return link({ path: at(task.path), target: task.target })
    case 'packages':
      return apt({ packages: task.names })
  }
  return command({
    title: task.creates,
    run: sh`touch ${at(task.creates)}`,
    creates: at(task.creates),
  })
}

export default playbook({
  name: 'bench',
  plays: [
    play({
      name: 'bench',
      hosts: 'all',
      tasks: (host) => tasks.map((task) => resourceOf(task, String(host.extra['root']), host)),
    }),
  ],
})
