const MULTIPLIER = 48_271
const MODULUS = 2_147_483_647

/** `n` steps of the minimal standard generator from 1; every product stays below 2^53. */
export function computed (n) {
  let x = 1
  for (let step = 0; step < n; step += 1) x = (x * MULTIPLIER) % MODULUS
  return x
}
