package main

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Number is a whole-number parameter.
type Number struct {
	Name                      string
	Minimum, Maximum, Default int
}

const maxID = 2_147_483_647

var (
	itemID   = Number{"id", 1, maxID, 0}
	limit    = Number{"limit", 1, 100, 20}
	offset   = Number{"offset", 0, 1_000_000, 0}
	waitMS   = Number{"ms", 0, 10_000, 100}
	fanoutN  = Number{"n", 1, 20, 5}
	fanoutMS = Number{"ms", 0, 1_000, 50}
	streamN  = Number{"n", 1, 1_000, 10}
	streamMS = Number{"ms", 0, 1_000, 100}
	cpuN     = Number{"n", 0, 50_000_000, 100_000}

	wholeNumber = regexp.MustCompile(`^-?[0-9]{1,18}$`)
)

// numbers reads parameters from a raw query; one 422 names each that is wrong.
func numbers(query string, parameters ...Number) ([]int, error) {
	given := lastValues(query)
	values := make([]int, len(parameters))
	var wrong []FieldError
	for index, parameter := range parameters {
		text, present := given[parameter.Name]
		if !present {
			values[index] = parameter.Default
			continue
		}
		value, ok := parameter.read(text)
		if !ok {
			wrong = append(wrong, parameter.problem())
		}
		values[index] = value
	}
	if wrong != nil {
		return nil, invalid(wrong)
	}
	return values, nil
}

func (n Number) read(text string) (int, bool) {
	if !wholeNumber.MatchString(text) {
		return 0, false
	}
	value, err := strconv.Atoi(text)
	return value, err == nil && value >= n.Minimum && value <= n.Maximum
}

func (n Number) problem() FieldError {
	return FieldError{n.Name, fmt.Sprintf("a whole number from %d to %d", n.Minimum, n.Maximum)}
}

// lastValues reads a query as browsers write it. url.ParseQuery would drop what it cannot decode, and
// the contract calls that a wrong value, not an absent one.
func lastValues(query string) map[string]string {
	if query == "" {
		return nil
	}
	values := make(map[string]string, 2)
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		values[unescaped(name)] = unescaped(value)
	}
	return values
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
