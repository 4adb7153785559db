/** The contract's paths and their methods, for 405 and for the metrics' route label. */
const ROUTES = {
  '/plaintext': ['GET'],
  '/json': ['GET'],
  '/items': ['GET'],
  '/items/{id}': ['GET'],
  '/orders': ['POST'],
  '/wait': ['GET'],
  '/fanout': ['GET'],
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
  const end = url.search(/[?#]/)
  const path = decoded(end < 0 ? url : url.slice(0, end))
  if (Object.hasOwn(ROUTES, path)) return path === '/items/{id}' ? '/items/{id}' : path
  return /^\/items\/[^/]+$/.test(path) ? '/items/{id}' : UNMATCHED
}

/** The methods of a route label; undefined for `unmatched`. */
export const methodsOf = (route) => ROUTES[route]

/** A target whose percent signs all decode, so that the router never refuses one. */
export function repaired (url) {
  if (!url.includes('%')) return url
  try {
    decodeURIComponent(url)
    return url
  } catch {
    return url.replaceAll('%', '%25')
  }
}

function decoded (path) {
  return path.includes('%') ? decodeURIComponent(repaired(path)) : path
}
