package main

const multiplier, modulus = 48_271, 2_147_483_647

// compute runs n steps of the minimal standard generator from 1.
func compute(n int) int {
	x := 1
	for range n {
		x = x * multiplier % modulus
	}
	return x
}
