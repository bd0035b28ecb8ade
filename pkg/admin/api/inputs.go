// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

// What the inputs of operations have in common. Their names are exported since huma looks at no others.

// PageInput goes through a list.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The length of a page"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next_cursor of the page before"`
}

// keyWords say what an idempotency key is for.
const keyWords = "With an Idempotency-Key the same request can be sent again for 24 hours and is answered the same, without being done again."

// KeyInput names a request.
type KeyInput struct {
	Key string `header:"Idempotency-Key" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII characters" doc:"1 to 255 characters that name this request, such as a UUID"`
}

// MatchInput wants the version that a change was made from.
type MatchInput struct {
	Match string `header:"If-Match" required:"true" maxLength:"1024" pattern:"^(\\*|(W/)?\"[!#-~]*\"( *, *(W/)?\"[!#-~]*\")*)$" patternDescription:"entity tags in quotes, or *" doc:"The ETag of the version that was read, or *"`
}

// OptionalMatchInput takes the version that a removal was decided on.
type OptionalMatchInput struct {
	Match string `header:"If-Match" maxLength:"1024" pattern:"^(\\*|(W/)?\"[!#-~]*\"( *, *(W/)?\"[!#-~]*\")*)$" patternDescription:"entity tags in quotes, or *" doc:"The ETag of the version that was read, or *"`
}
