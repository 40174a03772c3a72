// Package static embeds the pages, styles and scripts of both programs, so that each is one file to copy.
//
//	idp/     the provider's pages as html/template files: layout.html and one file a page; languages/ has what they say
//	shared/  the look both programs share: hush.css (its first comment lists the classes), favicon.svg, quiet.svg
//	demo/    the demo relying party: its pages and readable ES modules
//
// # The provider's pages
//
// A page is layout.html and one other file, parsed together and executed as "layout"; form_post.html and
// web_message.html stand alone and are executed by their names. Every page works as a plain form without script and holds no inline
// script or style, so it can be served under
//
//	default-src 'none'; style-src 'self'; img-src 'self' data: https:; script-src 'self'
//
// Only form_post.html, web_message.html and check_session.html load a script, and signed_out.html where it goes on by itself.
//
// # Where teaching ends and production begins
//
// The pages are complete for sign-in, consent and sign-out, in five languages. A product would add what is its own: a password
// reset, registration, its name and its legal texts.
package static
