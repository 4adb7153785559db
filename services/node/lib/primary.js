import cluster from 'node:cluster'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from './about.js'
import { Exporter } from './exporter.js'

const GRACE_MS = 25_000
const RESTART_MS = 1_000
const METRICS_FILE = 4 // the worker's descriptor: behind standard input, output, error and IPC

/** Keep `settings.workers` workers alive and serve their metrics until SIGTERM or SIGINT. */
export async function supervise (settings) {
  // One worker accepts for itself; several get their connections from here, one after another, as
  // Node's documentation recommends: left to the kernel they would be served unevenly.
  cluster.schedulingPolicy = settings.workers === 1 ? cluster.SCHED_NONE : cluster.SCHED_RR
  const exporter = new Exporter(describe(settings), settings.port)
  await exporter.listen(settings.metricsPort, settings.host)
  let stopping = false

  const start = () => {
    const file = unnamedFile()
    cluster.setupPrimary({ stdio: ['ignore', 'inherit', 'inherit', 'ipc', file] })
    const worker = cluster.fork({
      LAB_SESSION_SECRET: settings.sessionSecret, LAB_METRICS_FILE: METRICS_FILE
    })
    exporter.add(worker.process.pid, file)
  }
  const stop = () => {
    if (stopping) return
    stopping = true
    for (const worker of Object.values(cluster.workers)) worker.send('stop')
    setTimeout(() => {
      console.error(`requests were still in hand after ${GRACE_MS / 1000} s`)
      for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGKILL')
      process.exit(1)
    }, GRACE_MS).unref()
  }

  cluster.on('exit', (worker, code, signal) => {
    exporter.remove(worker.process.pid)
    if (!stopping) {
      console.error(`worker ${worker.process.pid} ended (${signal ?? code}); starting another`)
      setTimeout(() => stopping || start(), RESTART_MS)
    } else if (Object.keys(cluster.workers).length === 0) {
      process.exit(0)
    }
  })
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  for (let count = 0; count < settings.workers; count += 1) start()
}

/** A file in memory, where the system has such a place, that is gone with its last user. */
function unnamedFile () {
  const folder = temporaryFolder()
  try {
    return openSync(join(folder, 'metrics'), 'w+')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function temporaryFolder () {
  try {
    return mkdtempSync('/dev/shm/lab-')
  } catch {
    return mkdtempSync(join(tmpdir(), 'lab-'))
  }
}
