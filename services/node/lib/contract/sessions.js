export const MAX_AGE_S = 8 * 60 * 60

/** What a session cookie says, before it is signed: since when, in seconds, and who. */
export function issued (username, nowMs = Date.now()) {
  return `${seconds(nowMs).toString(36)}.${Buffer.from(username).toString('base64url')}`
}

/** Who a cookie says that you are; undefined where it is too old. Its signature was checked before. */
export function usernameOf (value, nowMs = Date.now()) {
  const [since, name] = value.split('.')
  if (seconds(nowMs) - parseInt(since, 36) > MAX_AGE_S) return undefined
  return Buffer.from(name, 'base64url').toString()
}

const seconds = (ms) => Math.floor(ms / 1000)
