package pages

// The pages of the console, which development mode has.
type (
	// Console is the page for a developer. Its scripts fetch the rest; Frame.CSRF is the console's own token.
	Console struct {
		Frame
		Issuers []string // all under which this provider answers
	}
	// Probe tells the page around it, which is of Origin, what came with the request for it.
	Probe struct {
		Frame
		Origin string
		Report string // JSON
	}
)
