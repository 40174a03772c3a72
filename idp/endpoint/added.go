package endpoint

// Paths of endpoints that are added to the provider: by development mode (console, reasons) and by the program idp
// (metrics).
const (
	PathConsole = "/console"
	PathReasons = "/reasons"
	PathMetrics = "/metrics"
)

// Added lists these paths. No issuer's path begins with one, and no alias is one, also where the endpoint is not
// served: an issuer that is good without development mode stays good with it.
var Added = []string{PathConsole, PathReasons, PathMetrics}
