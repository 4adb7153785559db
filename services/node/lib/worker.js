import { describe } from './about.js'
import { createApp } from './app.js'
import { Database } from './database.js'
import { Recorder } from './metrics/recorder.js'

const CLOSE_MS = 50
const CUT_MS = 22_000 // as in the other services
const CANNOT_LISTEN = 3 // exit code: another try would fail as well

/** Serve requests from the primary's `listen` to its `stop`, then finish what is in hand. */
export async function work (settings, metricsFile) {
  // A terminal sends Ctrl-C to every process; only the primary decides.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  process.once('disconnect', () => process.exit(1))
  const recorder = settings.metrics ? new Recorder(metricsFile) : undefined
  const database = new Database(settings, recorder)
  const app = createApp({ settings, database, about: describe(settings), recorder })
  await app.ready()

  const commands = {
    listen: () => listen(app, settings),
    stop: async () => {
      // A connection that finishes its request now would else stay open, idle, for its 75 s.
      setInterval(() => app.server.closeIdleConnections(), CLOSE_MS).unref()
      // Once it closes, Node no longer gives up on a request whose rest never comes.
      setTimeout(() => app.server.closeAllConnections(), CUT_MS).unref()
      await app.close()
      await database.close()
      process.exit(0)
    }
  }
  process.on('message', (command) => commands[command]())
  process.send('prepared')
}

async function listen (app, { port, host }) {
  try {
    await app.listen({ port, host, backlog: 2048 })
  } catch (error) {
    console.error(`node: PORT ${port}: ${error.code ?? error.message}; set another`)
    process.exit(CANNOT_LISTEN)
  }
}
