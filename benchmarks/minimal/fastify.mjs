// Fastify's own first example, as the yardstick for its service, in whose folder it runs.
import { createRequire } from 'node:module'

const fastify = createRequire(`${process.cwd()}/`)('fastify')({ logger: false })
fastify.get('/json', async () => ({ message: 'Hello, World!' }))
fastify.get('/readyz', async () => ({ status: 'ready' }))
await fastify.listen({ port: Number(process.env.PORT), host: process.env.HOST })
