import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The document of /about. */
export function describe (settings) {
  return {
    service: settings.service,
    framework: 'Fastify',
    server: 'node:http',
    model: 'async',
    versions: {
      node: process.versions.node,
      fastify: require('fastify/package.json').version,
      pg: require('pg/package.json').version
    },
    workers: settings.workers,
    threads: 1,
    pool_size: settings.poolSize,
    slots: settings.workers * settings.poolSize,
    slots_bound_by: 'pool',
    fanout: 'at once',
    websocket: true
  }
}
