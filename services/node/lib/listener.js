import http from 'node:http'
import { repaired } from './contract/routes.js'

/** The server under Fastify's `handler`, with the options of Fastify's that its own would take. */
export function createServer (handler, options) {
  const server = http.createServer(options.http, (request, response) => {
    // Fastify's `rewriteUrl` does the same, and makes every request slower by adding to it.
    if (request.url.includes('%')) request.url = repaired(request.url)
    handler(request, response)
  })
  server.keepAliveTimeout = options.keepAliveTimeout
  server.requestTimeout = options.requestTimeout
  return server
}
