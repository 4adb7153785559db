import { setTimeout as pause } from 'node:timers/promises'

/** `n` Server-Sent Events, `ms` milliseconds apart, the first at once. */
export async function * events (n, ms) {
  for (let number = 0; number < n; number += 1) {
    if (number > 0) await pause(ms)
    yield `data: {"event": ${number}}\n\n`
  }
}
