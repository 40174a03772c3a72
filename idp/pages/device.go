package pages

// App is an application that lets a sign-in begin at the provider (Core §4): URL leads there.
type App struct{ Name, ClientID, URL string }

// Device is the page where a person connects a device to their account (RFC 8628 §3.3). Without a Client it
// asks for the code; with one it asks whether Account allows the Scopes; with a Decision it says what to do next.
type Device struct {
	Frame
	UserCode string // as it was typed, or as the device showed it
	Unknown  bool   // no device waits with that code
	Account  Account
	Another  string // where to choose another account
	Scopes   []ScopeText
	Decision string // allow or deny
}
