import { describe } from './about.js'
import { createApp } from './app.js'
import { Database } from './database.js'
import { Recorder } from './recorder.js'

/** Serve requests until the primary says stop, then finish what is in hand. */
export async function work (settings, metricsFile) {
  const recorder = settings.metrics ? new Recorder(metricsFile) : undefined
  const database = new Database(settings, recorder)
  const app = createApp({ settings, database, about: describe(settings), recorder })
  const stop = async () => {
    await app.close()
    await database.close()
    process.exit(0)
  }
  // A terminal sends Ctrl-C to every process; only the primary decides.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  process.once('message', stop)
  process.once('disconnect', () => process.exit(1))
  await app.listen({ port: settings.port, host: settings.host, backlog: 2048 })
}
