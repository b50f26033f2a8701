// Package mailhtml turns one mail body into one safe, complete HTML document.
//
// A mail body is written by a stranger. The document made from it is served at
// its own URL, under its own Content-Security-Policy, inside a frame that runs
// no scripts. Three walls stand one behind the other, and a test holds each of
// them alone: the sanitizer in this package, the policy of [Headers], and the
// sandbox of [FrameSandbox].
//
// # How an HTML body is read
//
//	decode   valid UTF-8, no NUL, at most [MaxBody] bytes
//	tokens   known elements only; raw-text elements (script, title, iframe ...)
//	         go with their content; <style> text is set aside; what could make
//	         a parser grow without bound is refused here        (tokens.go)
//	policy   bluemonday keeps allowed attributes of allowed elements (policy.go)
//	parse    golang.org/x/net/html, now fed with harmless markup only (tree.go)
//	styles   every declaration is re-written from an allow-list   (css*.go),
//	         then go-premailer moves the style sheet into style attributes,
//	         because class names do not survive                   (inline.go)
//	quotes   what the sender quoted is folded into <details>      (quote.go)
//	rewrite  each URL becomes what the caller's callbacks say, or goes;
//	         identifiers get a prefix; styles are checked again   (rewrite.go)
//	page     the result is wrapped in our own document            (page.go)
//
// The order is the point: whatever is clever (an HTML tree builder, a CSS
// inliner) sees only input that an allow-list has passed, so that neither its
// faults nor its appetite are the sender's to use. go-premailer's CSS parser,
// for one, writes names it does not know to the process log; it is never shown
// any.
//
// Nothing is copied through: text is escaped anew, attributes and CSS values
// are written from their parsed parts.
//
// # What it costs
//
// Time and memory grow linearly with the body up to the caps in limits.go: an
// 18 kB newsletter takes about 3 ms and 1.5 MB of allocations (BenchmarkRenderHTML),
// the worst bodies of bounds_test.go stay under half a second. Whatever is left
// out to stay within a cap is reported as Document.Truncated. No function here
// panics, does I/O, logs, or keeps anything between calls; all may be called
// concurrently.
//
// # What is not kept
//
// @media rules: a style attribute has no place for them, so a mail is shown as
// clients without style sheets show it. CSS positioning, forms, SVG, MathML,
// audio and video.
package mailhtml
