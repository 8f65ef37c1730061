import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface ListeningPort {
  readonly pid: number
  readonly port: number
}

/** Every TCP port on which a process or one of its descendants listens. Needs /proc. */
export function listeningPortsOf(pid: number): readonly ListeningPort[] {
  const ports = new Map([...listeners('/proc/net/tcp'), ...listeners('/proc/net/tcp6')])
  return familyOf(pid).flatMap((member) =>
    socketsOf(member).flatMap((inode) => {
      const port = ports.get(inode)
      return port === undefined ? [] : [{ pid: member, port }]
    }),
  )
}

const listenState = '0A'

/** Ports by the inode of their socket. */
function listeners(table: string): readonly (readonly [string, number])[] {
  const lines = readFileSync(table, 'utf8').trim().split('\n').slice(1)
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
    return state === listenState ? [[inode, Number.parseInt(local.split(':')[1] ?? '', 16)] as const] : []
  })
}

function familyOf(pid: number): readonly number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : null
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const withDescendants = (member: number): number[] => [
    member,
    ...(children.get(member) ?? []).flatMap((child) => withDescendants(child)),
  ]
  return withDescendants(pid)
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null
  }
}

function socketsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}
