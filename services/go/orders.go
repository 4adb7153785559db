package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

const (
	maxLines, maxQuantity     = 500, 1_000
	maxNote, maxUsername      = 500, 64
	surrogateFirst, surrogate = 0xD800, 0xF800
)

// Order is an order whose every value is within the contract's limits.
type Order struct {
	CustomerID int32
	ItemIDs    []int32
	Quantities []int32
	Note       string
}

type problems []FieldError

// add reports a field, unless an answer could not name it any more.
func (p *problems) add(field, message string) {
	if len(*p) < mostFields {
		*p = append(*p, FieldError{field, message})
	}
}

func (p problems) fault() error {
	if p == nil {
		return nil
	}
	return invalid(p)
}

// newOrder checks a parsed body by hand; one 422 names every wrong field.
func newOrder(document gjson.Result) (Order, error) {
	var wrong problems
	members, err := wrong.members(document, "", "customer_id", "lines", "note")
	if err != nil {
		return Order{}, err
	}
	order := Order{CustomerID: wrong.integer(members[0], "customer_id", maxID)}
	if err := wrong.lines(members[1], &order); err != nil {
		return Order{}, err
	}
	if members[2].Exists() {
		order.Note = wrong.text(members[2], "note", 0, maxNote)
	}
	return order, wrong.fault()
}

// username checks the body of a login.
func username(document gjson.Result) (string, error) {
	var wrong problems
	members, err := wrong.members(document, "", "username")
	if err != nil {
		return "", err
	}
	name := wrong.text(members[0], "username", 1, maxUsername)
	return name, wrong.fault()
}

// members picks an object's known members (the last of equal names) and reports the others.
func (p *problems) members(object gjson.Result, prefix string, known ...string) ([]gjson.Result, error) {
	if !object.IsObject() {
		return nil, invalid([]FieldError{{"body", "an object"}})
	}
	found := make([]gjson.Result, len(known))
	var unknown []string
	readable := true
	object.ForEach(func(key, value gjson.Result) bool {
		name, whole := decoded(key.Raw)
		readable = readable && whole
		if index := slices.Index(known, name); index >= 0 {
			found[index] = value
		} else if len(unknown) < mostFields && !slices.Contains(unknown, name) {
			unknown = append(unknown, name)
		}
		return true
	})
	if !readable { // such a name could not be given back
		return nil, invalid([]FieldError{{"body", "a name in it has a lone surrogate"}})
	}
	for _, name := range unknown {
		p.add(prefix+name, "unknown")
	}
	return found, nil
}

func (p *problems) lines(value gjson.Result, order *Order) error {
	var lines []gjson.Result
	if value.IsArray() {
		lines = value.Array()
	}
	if len(lines) < 1 || len(lines) > maxLines {
		p.add("lines", fmt.Sprintf("a list of 1 to %d lines", maxLines))
		return nil
	}
	order.ItemIDs = make([]int32, len(lines))
	order.Quantities = make([]int32, len(lines))
	for index, line := range lines {
		if err := p.line(line, "lines."+strconv.Itoa(index), order, index); err != nil {
			return err
		}
	}
	return nil
}

func (p *problems) line(line gjson.Result, path string, order *Order, index int) error {
	if !line.IsObject() {
		p.add(path, "an object")
		return nil
	}
	members, err := p.members(line, path+".", "item_id", "quantity")
	if err != nil {
		return err
	}
	order.ItemIDs[index] = p.integer(members[0], path+".item_id", maxID)
	order.Quantities[index] = p.integer(members[1], path+".quantity", maxQuantity)
	return nil
}

// integer accepts an integer literal from 1 to maximum; 1.0 and 1e0 are none.
func (p *problems) integer(value gjson.Result, path string, maximum int64) int32 {
	if value.Type == gjson.Number {
		number, err := strconv.ParseInt(value.Raw, 10, 64)
		if err == nil && number >= 1 && number <= maximum {
			return int32(number)
		}
	}
	p.add(path, fmt.Sprintf("a whole number from 1 to %d", maximum))
	return 0
}

func (p *problems) text(value gjson.Result, path string, minimum, maximum int) string {
	if value.Type == gjson.String {
		text, whole := decoded(value.Raw)
		length := utf8.RuneCountInString(text)
		if whole && length >= minimum && length <= maximum && !strings.Contains(text, "\x00") {
			return text
		}
	}
	p.add(path, fmt.Sprintf("text of %d to %d characters without NUL", minimum, maximum))
	return ""
}

// decoded is the text of a JSON string literal, and whether every surrogate in it has its partner.
// encoding/json would put U+FFFD for a lone one without a word; here it becomes a question mark.
func decoded(raw string) (text string, whole bool) {
	if !strings.Contains(raw, `\`) {
		return raw[1 : len(raw)-1], true
	}
	repaired := replaceLoneSurrogates(raw)
	// The literal is part of a valid document, so it decodes.
	_ = json.Unmarshal([]byte(repaired), &text)
	return text, repaired == raw
}

func replaceLoneSurrogates(raw string) string {
	var repaired strings.Builder
	for index := 0; index < len(raw); {
		width := 1
		switch {
		case raw[index] != '\\':
		case raw[index+1] != 'u':
			width = 2
		case !isSurrogate(raw[index:]):
			width = 6
		case isHigh(raw[index:]) && isLow(raw[index+6:]):
			width = 12
		default:
			repaired.WriteByte('?')
			index += 6
			continue
		}
		repaired.WriteString(raw[index : index+width])
		index += width
	}
	return repaired.String()
}

func isSurrogate(escape string) bool { return unit(escape)&surrogate == surrogateFirst }
func isHigh(escape string) bool      { return unit(escape)&0xFC00 == 0xD800 }
func isLow(escape string) bool       { return unit(escape)&0xFC00 == 0xDC00 }

// unit is the UTF-16 unit of an escape such as \ud83d, 0 where there is none.
func unit(escape string) uint64 {
	if len(escape) < 6 || escape[0] != '\\' || escape[1] != 'u' {
		return 0
	}
	value, _ := strconv.ParseUint(escape[2:6], 16, 16)
	return value
}
