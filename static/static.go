package static

import (
	"embed"
	"io/fs"
)

//go:embed all:idp all:shared all:demo
var files embed.FS

// IDP holds the texts of the provider's pages by language, its style sheets and its scripts. Serve styles and scripts
// at /static/idp/.
func IDP() fs.FS { return folder("idp") }

// Demo holds the demo relying party's pages, styles and scripts. The folder vendor/ in it
// (oidc-client-ts) is copied there by the npm step and absent until that has run.
func Demo() fs.FS { return folder("demo") }

// Shared holds the files of both programs: hush.css, the mark and the decoration.
// Serve it at /static/shared/.
func Shared() fs.FS { return folder("shared") }

// folder panics on a name that is not embedded, which the first test would notice.
func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err)
	}
	return sub
}
