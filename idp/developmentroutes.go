package idp

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/reasons"
	"github.com/hush-idp/hush/oidc"
)

// listReasons is GET /reasons/.
func (p *Provider) listReasons(c echo.Context) error {
	page := pages.Reasons{Frame: pages.Frame{Title: "Reasons", Issuer: p.config.Issuer}}
	for _, group := range reasons.Groups() {
		shown := pages.ReasonGroup{Title: group.Title, Lead: pages.Text(group.Lead)}
		for _, reason := range group.Reasons {
			shown.Reasons = append(shown.Reasons, pages.ReasonLink{Code: string(reason.Code), Summary: reason.Title})
		}
		page.Groups = append(page.Groups, shown)
	}
	return p.pages.Render(c.Response(), http.StatusOK, "reasons", page, pages.Policy{})
}

// explainReason is GET /reasons/CODE, the error_uri of an error.
func (p *Provider) explainReason(c echo.Context) error {
	reason, ok := reasons.ByCode(oidc.Reason(c.Param("code")))
	if !ok {
		return echo.ErrNotFound
	}
	page := pages.Reason{
		Frame: pages.Frame{Title: string(reason.Code), Issuer: p.config.Issuer}, Code: string(reason.Code), Summary: reason.Title,
		Happened: pages.Text(reason.Happened), HowWeKnow: pages.Text(reason.HowWeKnow),
		HowSure: pages.Text(reason.HowSure), WhatToDo: pages.Text(reason.WhatToDo),
	}
	for _, link := range reason.Spec {
		page.Spec = append(page.Spec, pages.Link{Text: link.Text, URL: link.URL})
	}
	return p.pages.Render(c.Response(), http.StatusOK, "reason", page, pages.Policy{})
}
