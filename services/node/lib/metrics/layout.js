import { FINE } from './recent.js'
import { ROUTE_LABELS } from '../contract/routes.js'

/** Upper bounds of the buckets in seconds; one more bucket takes what is beyond. */
export const BOUNDS_S = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
]
/** A histogram is one count a bucket, then the sum. */
export const HISTOGRAM = BOUNDS_S.length + 2

/** First the fine buckets of all requests and of all waits, which are written less often. */
const HEAD = 2 * FINE
/** Places of a worker's values in its array of doubles. */
export const PLACE = {
  fine: 0,
  fineWait: FINE,
  active: HEAD,
  lag: HEAD + 1,
  beat: HEAD + 2,
  used: HEAD + 3,
  idle: HEAD + 4,
  pending: HEAD + 5,
  max: HEAD + 6,
  wait: HEAD + 7,
  series: HEAD + 7 + HISTOGRAM
}
/** A series is route, method, status, histogram. */
export const SERIES = 3 + HISTOGRAM
export const FIRST_SERIES = PLACE.series + 1

export const METHODS = [
  'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', '_OTHER'
]
const STATUSES = 32

/** Room for every route with every method and as many statuses as the service can answer. */
export const DOUBLES = FIRST_SERIES + SERIES * ROUTE_LABELS.length * METHODS.length * STATUSES

/** Count one observation in seconds into the histogram at `place`. */
export function observe (values, place, seconds) {
  let bucket = 0
  while (bucket < BOUNDS_S.length && seconds > BOUNDS_S[bucket]) bucket += 1
  values[place + bucket] += 1
  values[place + HISTOGRAM - 1] += seconds
}
