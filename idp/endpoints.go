package idp

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// readiness is GET /readyz: requests can be answered, and if not, why.
func (p *site) readiness(c echo.Context) error {
	err := p.ready()
	if err == nil && p.deps.Usable != nil {
		err = p.deps.Usable(c.Request().Context())
	}
	if err != nil {
		return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "reason": err.Error()})
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// health is GET /healthz: the process is alive.
func (p *site) health(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}
