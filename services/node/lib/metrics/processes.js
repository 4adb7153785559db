import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100 // USER_HZ of every Linux that Node.js runs on

/** CPU seconds, PSS bytes and threads of some processes; a process that is gone counts nothing. */
export function usage (pids) {
  const total = { cpuSeconds: 0, pssBytes: 0, threads: 0, processes: 0 }
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`)
    if (!stat) continue
    // The name in brackets may hold blanks; fields count from behind it (proc(5): 3 is the state).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number)
    total.cpuSeconds += (user + system + childUser + childSystem) / TICKS_PER_SECOND
    total.threads += Number(fields[17])
    total.pssBytes += pss(pid)
    total.processes += 1
  }
  return total
}

/** Connections that wait to be accepted on a listening port: the `rx_queue` of /proc/net/tcp. */
export function backlog (port) {
  const address = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => read(file).split('\n').slice(1))
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(address) && fields[3] === '0A')
    .reduce((sum, fields) => sum + parseInt(fields[4].split(':')[1], 16), 0)
}

function pss (pid) {
  const found = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))
  return found ? Number(found[1]) * 1024 : 0
}

function read (path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

