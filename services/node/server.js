import cluster from 'node:cluster'
import { readSettings, SettingsError } from './lib/settings.js'

try {
  const settings = readSettings()
  // Imported as needed: the primary has no use for the framework's memory.
  if (cluster.isPrimary) {
    const { supervise } = await import('./lib/primary.js')
    await supervise(settings)
  } else {
    const { work } = await import('./lib/worker.js')
    await work(settings, Number(process.env.LAB_METRICS_FILE))
  }
} catch (error) {
  console.error(error instanceof SettingsError ? `node: ${error.message}` : error)
  process.exit(error instanceof SettingsError ? 2 : 1)
}
