/** The contract's paths and their methods, for 405 and for the metrics' route label. */
const ROUTES = {
  '/plaintext': ['GET'],
  '/json': ['GET'],
  '/items': ['GET'],
  '/items/{id}': ['GET'],
  '/orders': ['POST'],
  '/wait': ['GET'],
  '/fanout': ['GET'],
  '/stream': ['GET'],
  '/cpu': ['GET'],
  '/session': ['DELETE', 'POST'],
  '/me': ['GET'],
  '/about': ['GET'],
  '/healthz': ['GET'],
  '/readyz': ['GET']
}

/** Label of every path that the contract does not name. */
export const UNMATCHED = 'unmatched'

export const ROUTE_LABELS = [...Object.keys(ROUTES), UNMATCHED]

/** The contract's route of a request target such as `/items/7?x=1`, or `unmatched`. */
export function routeOf (url) {
  if (Object.hasOwn(ROUTES, url)) return url
  const path = decoded(url.slice(0, pathEnd(url)))
  if (Object.hasOwn(ROUTES, path)) return path === '/items/{id}' ? '/items/{id}' : path
  return /^\/items\/[^/]+$/.test(path) ? '/items/{id}' : UNMATCHED
}

/** The methods of a route label; undefined for `unmatched`. */
export const methodsOf = (route) => ROUTES[route]

/** A target whose path decodes, so that the router never refuses one; its query stays as it is. */
export function repaired (url) {
  if (!url.includes('%')) return url
  const end = pathEnd(url)
  const path = url.slice(0, end)
  try {
    decodeURIComponent(path)
    return url
  } catch {
    return path.replaceAll('%', '%25') + url.slice(end)
  }
}

function pathEnd (url) {
  const end = url.search(/[?#]/)
  return end < 0 ? url.length : end
}

function decoded (path) {
  return path.includes('%') ? decodeURIComponent(repaired(path)) : path
}
