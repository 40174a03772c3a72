package limit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how often something may happen, as the configuration writes it: "60/1m" is 60 a minute. All 60 may come at
// once; then one more is allowed each second. "off" and "" limit nothing.
type Rate string

// Off is the Rate that limits nothing.
const Off Rate = "off"

// Check returns an error with the correct form if r cannot be parsed.
func (r Rate) Check() error {
	_, _, err := r.parse()
	return err
}

func (r Rate) isOff() bool { return r == "" || r == Off }

// parse returns the number of events a second, and the number that may come at once.
func (r Rate) parse() (rate.Limit, int, error) {
	if r.isOff() {
		return rate.Inf, 0, nil
	}
	count, period, _ := strings.Cut(string(r), "/")
	events, err := strconv.Atoi(count)
	per, errPeriod := time.ParseDuration(period)
	if err != nil || errPeriod != nil || events < 1 || events > math.MaxInt32 || per <= 0 {
		return 0, 0, fmt.Errorf("%q is no rate: write a number and a time, such as 60/1m for 60 a minute, or off", string(r))
	}
	return rate.Limit(float64(events) / per.Seconds()), events, nil
}
