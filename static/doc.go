// Package static embeds the pages, styles and scripts of both programs, so that each is one file to copy.
//
//	idp/     the provider's pages as html/template files: layout.html and one file a page
//	shared/  the look both programs share: hush.css (its first comment lists the classes), favicon.svg, quiet.svg
//	demo/    the demo relying party: its pages and readable ES modules
//
// # The provider's pages
//
// A page is layout.html and one other file, parsed together and executed as "layout"; form_post.html stands
// alone and is executed as "form_post". Every page works as a plain form without script and holds no inline
// script or style, so it can be served under
//
//	default-src 'none'; style-src 'self'; img-src 'self' data: https:; script-src 'self'
//
// Only form_post.html loads a script.
//
// # Where teaching ends and production begins
//
// The pages are complete for sign-in, consent and sign-out. A product would add what is its own: translations,
// a password reset, registration, its name and its legal texts.
package static
