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
// once; what was used comes back evenly, here one each second. "off" and "" are no limit.
type Rate string

// Off is the Rate that limits nothing.
const Off Rate = "off"

// Check returns an error that says what to write, unless r can be understood.
func (r Rate) Check() error {
	_, _, err := r.parse()
	return err
}

func (r Rate) isOff() bool { return r == "" || r == Off }

// parse returns the events a second, and how many may come at once.
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
