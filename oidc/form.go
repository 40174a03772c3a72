package oidc

import (
	"errors"
	"net"
)

// FormFault says for an error_description why a form could not be read. It leaves errors of the network
// out, because they name addresses behind the proxy.
func FormFault(err error) string {
	if _, ok := errors.AsType[net.Error](err); ok {
		return "the body did not come in time, or not whole"
	}
	return err.Error()
}
