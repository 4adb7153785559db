package main

import (
	"slices"
	"testing"
)

func TestWholeNumbersAreDigitsAndNothingElse(t *testing.T) {
	for _, query := range []string{
		"n=", "n", "n=1.0", "n=%2B1", "n=+1", "n=1_0", "n=0x1", "n=%zz", "n=1;x=2", "n=1111111111111111111", "n=-1",
		"n=3&n=x", "n=%D9%A3",
	} {
		_, err := numbers(query, cpuN)
		if status, fields := named(err); status != 422 || !slices.Equal(fields, []string{"n"}) {
			t.Errorf("%s: %d %v", query, status, fields)
		}
	}
}

func TestParametersThatAreMissingOrGivenTwice(t *testing.T) {
	for query, want := range map[string][]int{
		"":                            {5, 50},
		"n=x&n=7&other=%zz":           {7, 50},
		"%6E=9&ms=000000000000000001": {9, 1},
	} {
		if got, err := numbers(query, fanoutN, fanoutMS); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v, want %v", query, got, err, want)
		}
	}
}

func TestEveryWrongParameterIsNamed(t *testing.T) {
	_, err := numbers("n=0&ms=-1", fanoutN, fanoutMS)
	if _, fields := named(err); !slices.Equal(fields, []string{"ms", "n"}) {
		t.Error(fields)
	}
}
