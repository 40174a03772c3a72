// Package static embeds the pages, styles and scripts of both programs, so that each program is one file.
//
//	idp/     the provider's pages as html/template files: layout.html and one file a page; languages/ has their texts
//	shared/  the look both programs share: hush.css (its first comment lists the classes), favicon.svg, quiet.svg
//	demo/    the demo relying party: its pages and readable ES modules
//
// Files serves all of this but the pages: compressed, and with an ETag.
//
// # The provider's pages
//
// A page is layout.html and one other file, parsed together and executed as "layout"; form_post.html and
// web_message.html stand alone and are executed by their names. Every page works as a plain form without script and
// holds no inline script or style, so it can be served under
//
//	default-src 'none'; style-src 'self'; img-src 'self' data: https:; script-src 'self'
//
// Only form_post.html, web_message.html and check_session.html load a script, and signed_out.html when it redirects by
// itself.
//
// # Where teaching ends and production begins
//
// The pages cover sign-in, consent and sign-out, in five languages. A product would add a password
// reset, registration, its name and its legal texts.
package static
