// Command floor answers both requests of a renewal with constants, on the web framework that Hush uses. It checks
// nothing and signs nothing: what it costs is the cost of HTTP.
package main

import (
	"log"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/bench/peers/peer"
)

// answer is as long as the token response of lean with an opaque access token and RS256.
var answer = []byte(`{"access_token":"` + strings.Repeat("a", 26) + `","token_type":"Bearer","expires_in":3600,` +
	`"id_token":"` + strings.Repeat("i", 650) + `"}`)

func main() {
	p := peer.Parse()
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/.well-known/openid-configuration", func(c echo.Context) error { return c.JSON(http.StatusOK, p.Metadata()) })
	e.GET("/jwks", func(c echo.Context) error { return c.JSONBlob(http.StatusOK, []byte(`{"keys":[]}`)) })
	e.GET("/authorize", func(c echo.Context) error {
		query := "?code=" + strings.Repeat("c", 26) + "&state=" + c.QueryParam("state")
		return c.Redirect(http.StatusSeeOther, peer.RedirectURI+query)
	})
	e.POST("/token", func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		return c.JSONBlob(http.StatusOK, answer)
	})
	log.Fatal(e.Start(p.Listen))
}
