// `node healthcheck.js`: exit 0 where the service on $PORT is ready.
const port = process.env.PORT || '8000'
try {
  const { status } = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2500) })
  if (status !== 200) throw new Error(`/readyz says ${status}`)
} catch (error) {
  console.error(`port ${port}: ${error.cause?.message ?? error.message}`)
  process.exit(1)
}
