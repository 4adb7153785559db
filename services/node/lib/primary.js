import cluster from 'node:cluster'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from './about.js'
import { Exporter } from './metrics/exporter.js'
import { SettingsError } from './settings.js'

const GRACE_MS = 25_000
const RESTART_MS = 1_000
const METRICS_FILE = 4 // the worker's descriptor: behind standard input, output, error and IPC
const CANNOT_LISTEN = 3 // a worker's exit code; its module would load the whole framework here

/** Keep `settings.workers` workers alive and serve their metrics until SIGTERM or SIGINT. */
export async function supervise (settings) {
  // One worker accepts for itself; several get their connections from here, one after another, as
  // Node's documentation recommends: left to the kernel they would be served unevenly.
  cluster.schedulingPolicy = settings.workers === 1 ? cluster.SCHED_NONE : cluster.SCHED_RR
  const exporter = new Exporter(describe(settings), settings.port)
  await publish(exporter, settings)
  const crew = new Crew(settings, exporter)
  process.on('SIGTERM', () => crew.stop())
  process.on('SIGINT', () => crew.stop())
  crew.start()
}

async function publish (exporter, { metricsPort, host }) {
  try {
    await exporter.listen(metricsPort, host)
  } catch (error) {
    throw new SettingsError(`METRICS_PORT ${metricsPort}: ${error.code}; set another`)
  }
}

/** The workers: they begin to listen together, so that no connection finds only some of them. */
class Crew {
  #settings
  #exporter
  #prepared = new Set()
  #open = false // once all were prepared; a later worker listens at once
  #stopping = false

  constructor (settings, exporter) {
    this.#settings = settings
    this.#exporter = exporter
    cluster.on('message', (worker, message) => {
      if (message === 'prepared') this.#listen(worker)
    })
    cluster.on('exit', (worker, code, signal) => this.#ended(worker, code, signal))
  }

  start () {
    for (let count = 0; count < this.#settings.workers; count += 1) this.#fork()
  }

  stop () {
    if (this.#stopping) return
    this.#stopping = true
    for (const worker of this.#alive()) {
      if (this.#prepared.has(worker)) worker.send('stop')
      else worker.process.kill('SIGKILL')
    }
    if (this.#alive().length === 0) process.exit(0)
    setTimeout(() => {
      console.error(`node: requests were still in hand after ${GRACE_MS / 1000} s`)
      for (const worker of this.#alive()) worker.process.kill('SIGKILL')
      process.exit(1)
    }, GRACE_MS).unref()
  }

  #alive () {
    return Object.values(cluster.workers)
  }

  #fork () {
    const file = unnamedFile()
    cluster.setupPrimary({ stdio: ['ignore', 'inherit', 'inherit', 'ipc', file] })
    const worker = cluster.fork({
      LAB_SESSION_SECRET: this.#settings.sessionSecret, LAB_METRICS_FILE: METRICS_FILE
    })
    this.#exporter.add(worker.process.pid, file)
  }

  #listen (worker) {
    this.#prepared.add(worker)
    if (this.#open) return worker.send('listen')
    this.#open = this.#prepared.size === this.#settings.workers
    if (this.#open) for (const prepared of this.#prepared) prepared.send('listen')
  }

  #ended (worker, code, signal) {
    this.#exporter.remove(worker.process.pid)
    this.#prepared.delete(worker)
    if (this.#stopping) {
      if (this.#alive().length === 0) process.exit(0)
    } else if (code === CANNOT_LISTEN) {
      process.exit(1)
    } else {
      console.error(`node: worker ${worker.process.pid} ended (${signal ?? code}); starting another`)
      setTimeout(() => this.#stopping || this.#fork(), RESTART_MS)
    }
  }
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
